//! Pages of other sites: what they may read, and that they change nothing with a cookie that a
//! browser sends along.

use std::str::FromStr;

use axum::{
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, request::Parts,
        uri::Authority,
    },
    response::{IntoResponse, Response},
};

/// A site whose pages may use the interface from a browser, with a key of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let uri: Uri = text.parse().ok()?;
            let authority = uri.authority()?.as_str();
            let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
            // As browsers write it: nothing after the port, no capitals.
            let is_bare = text == format!("{scheme}://{authority}") && !authority.contains('@');
            let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
            (is_bare && is_lower).then_some(())?;
            HeaderValue::from_str(text).ok().map(Self)
        };
        read().ok_or_else(|| "must be a site as browsers name it: https://example.com".to_owned())
    }
}

/// The site whose page made a request, where it is one of those allowed.
pub(super) fn asking(allowed: &[Origin], headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN).filter(|_| !allowed.is_empty())?;
    allowed.iter().find(|it| it.0 == *origin).map(|it| it.0.clone())
}

/// The question of a browser whether a page of an allowed site may send something, answered.
pub(super) fn preflight(method: &Method, headers: &HeaderMap) -> Option<Response> {
    const ASKED: HeaderName = header::ACCESS_CONTROL_REQUEST_METHOD;
    if *method != Method::OPTIONS || !headers.contains_key(ASKED) {
        return None;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let mut set = |name: HeaderName, value: &'static str| {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    };
    set(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, PUT, PATCH, DELETE");
    set(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "authorization, x-api-key, content-type, last-event-id, if-none-match",
    );
    set(header::ACCESS_CONTROL_MAX_AGE, "600");
    Some(response)
}

/// Lets the page that asked read an answer, where its site is one of those allowed. Cookies are
/// never allowed: such pages send a key.
pub(super) fn share(origin: Option<HeaderValue>, answer: &mut HeaderMap) {
    answer.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = origin else { return };
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    let exposed = "location, retry-after, etag, www-authenticate, x-request-id";
    answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
}

/// Whether a browser says that a request was not made by a page of this server. What is no browser
/// says nothing.
pub(super) fn from_elsewhere(head: &Parts) -> bool {
    let headers = &head.headers;
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    // A proxy in front may have taken the encryption off, and named this server its own way: the
    // scheme says nothing, and the name that it was asked for counts, too. No page of another site
    // can send that header here.
    let named = [header::HOST, HeaderName::from_static("x-forwarded-host")];
    let named = named.iter().filter_map(|name| headers.get(name)?.to_str().ok());
    let mut hosts = named.chain(head.uri.authority().map(Authority::as_str));
    let site = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    site.is_none_or(|(_, site)| !hosts.any(|host| host == site))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn origins_are_as_browsers_write_them() {
        for text in ["https://example.com", "http://10.0.0.5:8080", "http://[::1]:3000"] {
            assert!(text.parse::<Origin>().is_ok(), "{text}");
        }
        let wrong = ["*", "null", "example.com", "https://example.com/", "https://Example.com"];
        for text in wrong.into_iter().chain(["ftp://example.com", "https://a@b", "https://"]) {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_browser_says_whose_page_asks() {
        let table = [
            (None, None, false),
            (Some("same-origin"), None, false),
            (Some("none"), None, false),
            (Some("same-site"), None, true),
            (Some("cross-site"), Some("http://park.example"), true),
            (None, Some("http://park.example"), false),
            (None, Some("https://park.example"), false),
            (None, Some("http://park.example:81"), true),
            (None, Some("http://evil.example"), true),
            (None, Some("null"), true),
        ];
        for (site, origin, expected) in table {
            let (mut head, ()) = Request::new(()).into_parts();
            let headers = &mut head.headers;
            headers.insert(header::HOST, HeaderValue::from_static("park.example"));
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(from_elsewhere(&head), expected, "{site:?} {origin:?}");
        }
    }
}
