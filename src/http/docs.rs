//! The description of the interface, for programs at `/openapi.json` and for people at `/docs`.
//! All of it is inside the binary; the page loads nothing from elsewhere and runs no inline code.

use std::io::Read;

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use bytes::Bytes;
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use utoipa::openapi::OpenApi;

use super::{kind::Kind, problem::Problem};

const PAGE: &[u8] = include_bytes!("docs/index.html");
const START: &[u8] = include_bytes!("docs/start.js");
/// swagger-ui-dist 5.35.0, as it is but gzipped; Apache-2.0, see `docs/NOTICE`.
const BUNDLE: &[u8] = include_bytes!("docs/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("docs/swagger-ui.css.gz");

/// Only what this server sends, and no inline code. Swagger UI sets styles on elements, and its
/// icons are `data:` images.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The routes of the documentation.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(description: &OpenApi) -> Router<S> {
    let json = serde_json::to_vec_pretty(description).unwrap_or_default();
    let assets = [
        ("/openapi.json", Asset::plain("application/json", json)),
        ("/docs", Asset::plain("text/html; charset=utf-8", PAGE)),
        ("/docs/start.js", Asset::plain(JAVASCRIPT, START)),
        ("/docs/swagger-ui-bundle.js", Asset::gzipped(JAVASCRIPT, BUNDLE)),
        ("/docs/swagger-ui.css", Asset::gzipped("text/css; charset=utf-8", STYLE)),
    ];
    let to_docs = get(async || Redirect::to("/docs"));
    let router = Router::new().route("/", to_docs.clone()).route("/docs/", to_docs);
    assets.into_iter().fold(router, |router, (path, asset)| {
        router.route(path, get(async move |request: Request| asset.answer(request.headers())))
    })
}

/// A file that is served as it is.
#[derive(Clone)]
struct Asset {
    media_type: &'static str,
    bytes: Bytes,
    is_gzipped: bool,
    etag: HeaderValue,
}

impl Asset {
    fn plain(media_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let digest = Sha256::digest(&bytes);
        let tag: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        // Weak: the gzipped and the plain form share it.
        let etag = HeaderValue::try_from(format!("W/\"{tag}\""));
        Self {
            media_type,
            bytes,
            is_gzipped: false,
            etag: etag.unwrap_or(HeaderValue::from_static("")),
        }
    }

    fn gzipped(media_type: &'static str, bytes: &'static [u8]) -> Self {
        Self { is_gzipped: true, ..Self::plain(media_type, bytes) }
    }

    fn answer(&self, request: &HeaderMap) -> Response {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        set(header::CONTENT_TYPE, self.media_type);
        set(header::CONTENT_SECURITY_POLICY, POLICY);
        // Kept, but asked for again each time: a new version shows at once.
        set(header::CACHE_CONTROL, "no-cache");
        set(header::VARY, "accept-encoding");
        headers.insert(header::ETAG, self.etag.clone());
        if is_known(request, &self.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        if !self.is_gzipped {
            *response.body_mut() = Body::from(self.bytes.clone());
        } else if accepts_gzip(request) {
            let gzip = HeaderValue::from_static("gzip");
            response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
            *response.body_mut() = Body::from(self.bytes.clone());
        } else {
            // Rare: every browser takes gzip.
            let mut plain = Vec::new();
            if GzDecoder::new(self.bytes.as_ref()).read_to_end(&mut plain).is_err() {
                return Problem::new(Kind::Internal).into_response();
            }
            *response.body_mut() = Body::from(plain);
        }
        response
    }
}

/// Whether the client has this version already.
fn is_known(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let tags = request.get_all(header::IF_NONE_MATCH).iter();
    let tags = tags.filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || tag.trim().as_bytes() == etag.as_bytes())
}

/// Whether the client takes gzip: it says so, and not with a quality of zero.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let values = request.get_all(header::ACCEPT_ENCODING).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = quality.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case("gzip")
            && quality.parse().is_ok_and(|quality: f32| quality > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_only_sent_to_those_that_take_it() {
        let table = [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("identity", false),
            ("", false),
        ];
        for (value, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(accepts_gzip(&headers), expected, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
