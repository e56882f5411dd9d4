//! Files that are inside the binary, as they are served: with a tag by which browsers keep them,
//! compressed for those that take it, under the policy of the page that they belong to.

use std::{
    io::{Read, Write},
    sync::OnceLock,
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use sha2::{Digest, Sha256};

use super::{kind::Kind, problem::Problem};

pub(super) const HTML: &str = "text/html; charset=utf-8";
pub(super) const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
pub(super) const CSS: &str = "text/css; charset=utf-8";

/// Kept, but asked for again each time: a new version shows at once.
pub(super) const ASK_AGAIN: &str = "no-cache";
/// Kept for a year and never asked for again: for addresses that name the version.
pub(super) const KEEP: &str = "public, max-age=31536000, immutable";

/// Marks an answer whose bytes are in memory however many take them.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtHand;

/// A file that is served as it is.
pub(super) struct Asset {
    media_type: &'static str,
    policy: &'static str,
    /// As it is in the binary: plain, unless `is_gzipped`.
    bytes: Bytes,
    is_gzipped: bool,
    /// The other form of the bytes, once somebody asks for it.
    other: OnceLock<Option<Bytes>>,
    etag: HeaderValue,
}

impl Asset {
    /// A file that is plain in the binary, under a Content-Security-Policy.
    pub(super) fn plain(
        media_type: &'static str,
        policy: &'static str,
        bytes: impl Into<Bytes>,
    ) -> Self {
        let bytes = bytes.into();
        // Weak: the gzipped and the plain form share it.
        let etag = HeaderValue::try_from(format!("W/\"{}\"", digest([bytes.as_ref()])));
        Self {
            media_type,
            policy,
            bytes,
            is_gzipped: false,
            other: OnceLock::new(),
            etag: etag.unwrap_or(HeaderValue::from_static("")),
        }
    }

    /// A file that is gzipped in the binary.
    pub(super) fn gzipped(
        media_type: &'static str,
        policy: &'static str,
        bytes: &'static [u8],
    ) -> Self {
        Self { is_gzipped: true, ..Self::plain(media_type, policy, bytes) }
    }

    /// The answer to a request with these headers; `cache` says how long it may be kept.
    pub(super) fn answer(&self, request: &HeaderMap, cache: &'static str) -> Response {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        set(header::CONTENT_TYPE, self.media_type);
        set(header::CONTENT_SECURITY_POLICY, self.policy);
        set(header::CACHE_CONTROL, cache);
        set(header::VARY, "accept-encoding");
        headers.insert(header::ETAG, self.etag.clone());
        if is_known(request, &self.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        let is_gzipped = accepts_gzip(request);
        let bytes = if is_gzipped { self.packed() } else { self.unpacked() };
        let Some(bytes) = bytes else { return Problem::new(Kind::Internal).into_response() };
        if is_gzipped {
            let gzip = HeaderValue::from_static("gzip");
            response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
        }
        response.extensions_mut().insert(AtHand);
        *response.body_mut() = Body::from(bytes);
        response
    }

    fn packed(&self) -> Option<Bytes> {
        let pack = || {
            let mut packed = GzEncoder::new(Vec::new(), Compression::best());
            packed.write_all(&self.bytes).ok()?;
            packed.finish().ok().map(Bytes::from)
        };
        if self.is_gzipped {
            Some(self.bytes.clone())
        } else {
            self.other.get_or_init(pack).clone()
        }
    }

    fn unpacked(&self) -> Option<Bytes> {
        // Rare: every browser takes gzip. Kept all the same: who asks again and again must not
        // have the memory of as many.
        let unpack = || {
            let mut plain = Vec::new();
            GzDecoder::new(self.bytes.as_ref()).read_to_end(&mut plain).ok()?;
            Some(plain.into())
        };
        if self.is_gzipped {
            self.other.get_or_init(unpack).clone()
        } else {
            Some(self.bytes.clone())
        }
    }
}

/// A short name for these bytes, which no others have.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    parts.into_iter().for_each(|part| digest.update(part));
    digest.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the one who asks has what this tag stands for (RFC 9110, If-None-Match, weak
/// comparison).
pub(super) fn is_known(request: &HeaderMap, tag: &HeaderValue) -> bool {
    let lists = request.get_all(header::IF_NONE_MATCH).iter();
    // Our tags hold no comma, so that what a list is split into at commas cannot be one of them by
    // chance.
    let mut tags = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    tags.any(|known| {
        let known = known.trim_ascii();
        known == b"*" || strong(known) == strong(tag.as_bytes())
    })
}

/// A tag without the mark of a weak one.
fn strong(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
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

    #[test]
    fn who_has_it_is_recognised() {
        let tag = "\"x\"";
        let table = [
            (vec![], false),
            (vec![tag.to_owned()], true),
            (vec![format!("W/{tag}")], true),
            (vec![format!("\"a\", {tag} ,\"b\"")], true),
            (vec!["\"a\"".to_owned(), tag.to_owned()], true),
            (vec!["*".to_owned()], true),
            (vec!["\"a\", W/\"b\"".to_owned()], false),
            (vec![tag.trim_matches('"').to_owned()], false),
            (vec![format!("w/{tag}")], false),
            (vec![String::new()], false),
        ];
        for (lists, known) in table {
            let mut headers = HeaderMap::new();
            for list in &lists {
                headers.append(header::IF_NONE_MATCH, HeaderValue::try_from(list).unwrap());
            }
            assert_eq!(is_known(&headers, &HeaderValue::from_static(tag)), known, "{lists:?}");
        }
    }
}
