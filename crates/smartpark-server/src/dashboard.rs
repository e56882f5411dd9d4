//! The page that people look at (`/`) and the board for a screen at the ramp (`/display`). Their
//! files are served as they were written, from inside the binary, under addresses that name the
//! version: a browser asks for each of them once, and for all of them after an update.

use std::sync::{Arc, LazyLock, OnceLock};

use axum::{
    Router,
    extract::{Path, Request},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{
    assets::{ASK_AGAIN, Asset, CSS, HTML, JAVASCRIPT, KEEP, digest},
    kind::Kind,
    problem::Problem,
};

/// Only what this server sends, no inline code and no inline style. What is shown comes from
/// cameras and people: no text may become markup, which browsers that know trusted types enforce.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// What the page is called where nobody named the site.
const SITE: &str = "SmartPark";

const PAGE: &str = include_str!("dashboard/index.html");
const DISPLAY: &str = include_str!("dashboard/display.html");

/// Names a file of the folder `dashboard`.
macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        [$(($path, include_bytes!(concat!("dashboard/", $path)).as_slice())),+]
    };
}

/// All files of the two pages.
static FILES: &[(&str, &[u8])] = &files![
    "api.js",
    "app.js",
    "attention.js",
    "display.js",
    "estimates.js",
    "events_state.js",
    "format.js",
    "history_state.js",
    "history_window.js",
    "html.js",
    "i18n.js",
    "icon.svg",
    "live.js",
    "log.js",
    "memory.js",
    "session.js",
    "state.js",
    "theme.js",
    "timing.js",
    "trends.js",
    "wake.js",
    "styles/base.css",
    "styles/display.css",
    "styles/events.css",
    "styles/frame.css",
    "styles/history.css",
    "styles/now.css",
    "styles/parts.css",
    "texts/de.js",
    "texts/en.js",
    "vendor/hooks.js",
    "vendor/htm.LICENSE",
    "vendor/htm.js",
    "vendor/preact.LICENSE",
    "vendor/preact.js",
    "vendor/signals-core.js",
    "vendor/signals.LICENSE",
    "vendor/signals.js",
    "vendor/uplot.LICENSE",
    "vendor/uplot.min.css",
    "vendor/uplot.min.js",
    "views/axes.js",
    "views/bar.js",
    "views/dialogs.js",
    "views/event_cells.js",
    "views/event_story.js",
    "views/events.js",
    "views/filters.js",
    "views/floor_card.js",
    "views/floor_form.js",
    "views/form.js",
    "views/header.js",
    "views/heat.js",
    "views/history.js",
    "views/local_input.js",
    "views/needs.js",
    "views/now.js",
    "views/occupancy.js",
    "views/opening_form.js",
    "views/outlook.js",
    "views/plot.js",
    "views/recount_form.js",
    "views/sign_in.js",
    "views/spark.js",
    "views/sums.js",
    "views/tail.js",
    "views/theme_choice.js",
    "views/traffic.js",
];

/// The files, made ready when somebody first asks for one of them.
struct Files {
    version: String,
    assets: Vec<(&'static str, Asset)>,
}

static READY: LazyLock<Files> = LazyLock::new(Files::new);

/// The routes of the pages of a site of this name.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(site: Option<&str>) -> Router<S> {
    let site = escaped(site.unwrap_or(SITE));
    let html = |page: &'static str| {
        let (site, asset) = (site.clone(), OnceLock::new());
        let whole = move || Asset::plain(HTML, POLICY, filled(page, &site, &READY.version));
        let whole = Arc::new((asset, whole));
        get(async move |request: Request| {
            whole.0.get_or_init(&whole.1).answer(request.headers(), ASK_AGAIN)
        })
    };
    Router::new()
        .route("/", html(PAGE))
        .route("/display", html(DISPLAY))
        .route("/page/{version}/{*path}", get(file))
}

/// A file. Who asks for the files of another version than this server's is given these, too (its
/// page was loaded just before an update), but not to keep.
async fn file(Path((version, path)): Path<(String, String)>, request: Request) -> Response {
    let Some((_, asset)) = READY.assets.iter().find(|(name, _)| *name == path) else {
        return Problem::new(Kind::NotFound).into_response();
    };
    let cache = if version == READY.version { KEEP } else { ASK_AGAIN };
    asset.answer(request.headers(), cache)
}

impl Files {
    fn new() -> Self {
        let asset = |(path, bytes): &(&'static str, &'static [u8])| {
            (*path, Asset::plain(media_type(path), POLICY, *bytes))
        };
        Self {
            version: digest(FILES.iter().map(|(_, bytes)| *bytes)),
            assets: FILES.iter().map(asset).collect(),
        }
    }
}

/// A page with the addresses of its files, relative to its own: a proxy may publish it under any
/// path. Modules import each other; what they will import is
/// named ahead, so that a browser need not read the one to learn of the next.
fn filled(page: &str, site: &str, version: &str) -> String {
    let modules = FILES.iter().filter_map(|(path, _)| is_imported(path).then_some(path));
    let preloads =
        modules.map(|path| format!("<link rel=\"modulepreload\" href=\"{{files}}/{path}\">\n"));
    page.replace("{preloads}\n", &preloads.collect::<String>())
        .replace("{files}", &format!("page/{version}"))
        .replace("{site}", site)
}

/// Whether a file is a module that the page imports.
fn is_imported(path: &str) -> bool {
    const OTHERS: [&str; 5] =
        ["app.js", "display.js", "theme.js", "wake.js", "vendor/uplot.min.js"];
    path.ends_with(".js") && !OTHERS.contains(&path)
}

/// A text as it stands in markup and in its attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "js")) => JAVASCRIPT,
        Some((_, "css")) => CSS,
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}
