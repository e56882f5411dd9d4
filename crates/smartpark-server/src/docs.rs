//! The description of the interface, for programs at `/openapi.json` and for people at `/docs`.
//! All of it is inside the binary; the page loads nothing from elsewhere and runs no inline code.

use std::sync::Arc;

use axum::{Router, extract::Request, routing::get};
use utoipa::openapi::OpenApi;

use super::assets::{ASK_AGAIN, Asset, CSS, HTML, JAVASCRIPT};

const PAGE: &[u8] = include_bytes!("docs/index.html");
const START: &[u8] = include_bytes!("docs/start.js");
/// swagger-ui-dist 5.35.0, as it is but gzipped; Apache-2.0, see `docs/NOTICE`.
const BUNDLE: &[u8] = include_bytes!("docs/swagger-ui-bundle.js.gz");
const STYLE: &[u8] = include_bytes!("docs/swagger-ui.css.gz");

/// Only what this server sends, no inline code and no inline style. (Swagger UI sets styles by
/// script, which needs no permission; its icons are `data:` images.)
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The routes of the documentation.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(description: &OpenApi) -> Router<S> {
    let json = serde_json::to_vec_pretty(description).unwrap_or_default();
    let assets = [
        ("/openapi.json", Asset::plain("application/json", POLICY, json)),
        ("/docs", Asset::plain(HTML, POLICY, PAGE)),
        ("/docs/start.js", Asset::plain(JAVASCRIPT, POLICY, START)),
        ("/docs/swagger-ui-bundle.js", Asset::gzipped(JAVASCRIPT, POLICY, BUNDLE)),
        ("/docs/swagger-ui.css", Asset::gzipped(CSS, POLICY, STYLE)),
    ];
    assets.into_iter().fold(Router::new(), |router, (path, asset)| {
        let asset = Arc::new(asset);
        let answer = async move |request: Request| asset.answer(request.headers(), ASK_AGAIN);
        router.route(path, get(answer))
    })
}
