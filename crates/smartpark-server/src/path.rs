//! The path of a request, as the routes know it: without the path under which the server is
//! published, and without a slash at its end.
//!
//! Everything behind this, also who may do what, sees only such paths.

use std::{fmt, str::FromStr};

use axum::{
    http::{HeaderValue, Request, StatusCode, Uri, header, uri::PathAndQuery},
    response::{IntoResponse, Response},
};

/// The path under which the server is published, such as `/smartpark`; empty for `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// What stands before every path of the server.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BasePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.strip_suffix('/').unwrap_or(text);
        let is_safe = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        let is_part =
            |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(is_safe);
        let fits = path.is_empty()
            || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_part));
        let base = fits.then(|| Self(path.to_owned()));
        base.ok_or_else(|| "must be a path such as /smartpark".to_owned())
    }
}

impl<'de> serde::Deserialize<'de> for BasePath {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The pages: below `/display/` a browser would look for their files in another place.
const PAGES: [&str; 2] = ["/display", "/docs"];

/// The request with the path that the routes know, or the answer that sends a browser to the right
/// address of a page. Paths without the base path are served too: some proxies take it off, and
/// probes come directly.
pub(super) fn known<B>(
    base: &BasePath,
    mut request: Request<B>,
) -> Result<Request<B>, Box<Response>> {
    let path = request.uri().path();
    let under = path.strip_prefix(base.as_str()).filter(|_| !base.0.is_empty());
    let rest = match under {
        Some("") => return Err(moved(&format!("{base}/"))),
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    };
    let bare = rest.strip_suffix('/').filter(|bare| !bare.is_empty()).unwrap_or(rest);
    if bare.len() < rest.len()
        && let Some(page) = PAGES.iter().find(|page| **page == bare)
    {
        return Err(moved(&format!("..{page}")));
    }
    if bare.len() < path.len()
        && let Some(uri) = with_path(request.uri(), bare)
    {
        *request.uri_mut() = uri;
    }
    Ok(request)
}

/// The site that a path names before what is asked of it, as in `/sites/north/floors`, and how long
/// that part of the path is. `/sites/north` itself is an operation.
pub(super) fn site(path: &str) -> Option<(&str, usize)> {
    const SITES: &str = "/sites/";
    let (slug, _) = path.strip_prefix(SITES)?.split_once('/')?;
    Some((slug, SITES.len() + slug.len()))
}

/// Takes so many bytes off the beginning of the path.
pub(super) fn strip<B>(request: &mut Request<B>, length: usize) {
    let rest = request.uri().path().get(length..).map(str::to_owned);
    if let Some(uri) = rest.and_then(|rest| with_path(request.uri(), &rest)) {
        *request.uri_mut() = uri;
    }
}

/// The URI with another path.
fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let target = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path.to_owned()),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.ok()?);
    Uri::from_parts(parts).ok()
}

fn moved(to: &str) -> Box<Response> {
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    if let Ok(to) = HeaderValue::try_from(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    Box::new(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path that the routes see, or where a browser is sent.
    fn known_path(base: &str, path: &str) -> Result<String, String> {
        let request = Request::builder().uri(path).body(()).unwrap();
        match known(&base.parse().unwrap(), request) {
            Ok(request) => Ok(request.uri().to_string()),
            Err(response) => Err(response.headers()[header::LOCATION].to_str().unwrap().to_owned()),
        }
    }

    #[test]
    fn the_routes_see_bare_paths() {
        for (base, path, expected) in [
            ("", "/floors", "/floors"),
            ("", "/floors/", "/floors"),
            ("", "/floors/?a=/b/", "/floors?a=/b/"),
            ("", "/", "/"),
            ("", "/floors//", "/floors/"),
            ("/p", "/p/", "/"),
            ("/p", "/p/floors/1/?x", "/floors/1?x"),
            ("/p/", "/p/floors", "/floors"),
            ("/p", "/floors", "/floors"),
            ("/p", "/park/1", "/park/1"),
            ("/a/b", "/a/b/events", "/events"),
            ("", "http://host/floors/", "http://host/floors"),
        ] {
            assert_eq!(known_path(base, path), Ok(expected.to_owned()), "{base} {path}");
        }
        for (base, path, expected) in
            [("/p", "/p", "/p/"), ("", "/docs/", "../docs"), ("/p", "/p/display/", "../display")]
        {
            assert_eq!(known_path(base, path), Err(expected.to_owned()), "{base} {path}");
        }
    }

    #[test]
    fn a_path_may_name_the_site() {
        assert_eq!(site("/sites/north/floors/1"), Some(("north", 12)));
        assert_eq!(site("/sites/north"), None);
        assert_eq!(site("/floors"), None);
        let mut request = Request::builder().uri("/sites/north/floors?a=b").body(()).unwrap();
        strip(&mut request, 12);
        assert_eq!(request.uri(), "/floors?a=b");
    }

    #[test]
    fn a_base_path_is_a_plain_path() {
        for text in ["p", "/a//b", "/a b", "/../a", "/a;x", "//"] {
            assert!(text.parse::<BasePath>().is_err(), "{text}");
        }
        assert_eq!("/".parse::<BasePath>(), Ok(BasePath::default()));
    }
}
