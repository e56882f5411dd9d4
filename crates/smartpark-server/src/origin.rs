//! Pages of other sites: what they may read, and that they change nothing with a cookie that a
//! browser sends along.

use std::str::FromStr;

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};

use super::{
    auth::Client,
    host::{self, HostPort, default_port},
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

/// Whether a browser says that a page of another site makes this request. Programs that are no
/// browsers say nothing.
///
/// `Sec-Fetch-Site` decides, where it is: it is right also behind a proxy that calls this server by
/// another name. Older browsers, and all on pages without TLS, send only `Origin`.
pub(super) fn from_elsewhere(head: &Parts, client: &Client) -> bool {
    says_elsewhere(&head.headers).unwrap_or_else(|| has_other_origin(head, client))
}

/// The same for a request that needs no key: both headers must agree that it is ours.
pub(super) fn may_be_from_elsewhere(head: &Parts, client: &Client) -> bool {
    says_elsewhere(&head.headers).unwrap_or(false) || has_other_origin(head, client)
}

/// What `Sec-Fetch-Site` says; of several values all must be good.
fn says_elsewhere(headers: &HeaderMap) -> Option<bool> {
    let sites = headers.get_all("sec-fetch-site");
    sites.iter().next()?;
    Some(sites.iter().any(|site| site != "same-origin" && site != "none"))
}

/// Whether there is an `Origin` that is not the site by which the request calls this server.
fn has_other_origin(head: &Parts, client: &Client) -> bool {
    let mut origins = head.headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return false };
    let is_ours = || {
        let (scheme, site) = origin.to_str().ok()?.split_once("://")?;
        let is_scheme = match scheme {
            "https" => client.is_encrypted || client.is_forwarded,
            // A proxy may have taken the encryption off without saying so.
            "http" => !client.is_encrypted,
            _ => false,
        };
        let site = HostPort::parse(site).filter(|_| is_scheme)?;
        // No page of another site can send this header here.
        let named = head.headers.get("x-forwarded-host").and_then(|name| name.to_str().ok());
        let named = named.and_then(HostPort::parse).into_iter();
        let port = default_port(scheme);
        named.chain(host::names(head)).any(|name| name.is_same(site, port)).then_some(())
    };
    origins.next().is_some() || is_ours().is_none()
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

    const PLAIN: Client =
        Client { address: None, is_local: false, is_encrypted: false, is_forwarded: false };

    /// The head of a request to park.example with these headers.
    fn head(headers: &[(&'static str, &'static str)]) -> Parts {
        let mut request = Request::builder().header(header::HOST, "park.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_browser_says_whose_page_asks() {
        const SITE: &str = "sec-fetch-site";
        const ORIGIN: &str = "origin";
        type Headers = &'static [(&'static str, &'static str)];
        // What a request says; whether it is refused with a session, and without a key.
        let table: [(Headers, [bool; 2]); 18] = [
            (&[], [false, false]),
            (&[(SITE, "same-origin")], [false, false]),
            (&[(SITE, "none")], [false, false]),
            (&[(SITE, "same-site")], [true, true]),
            (&[(SITE, "cross-site")], [true, true]),
            (&[(SITE, "Same-Origin")], [true, true]),
            (&[(SITE, "")], [true, true]),
            (&[(SITE, "none"), (SITE, "cross-site")], [true, true]),
            (&[(SITE, "cross-site"), (ORIGIN, "http://park.example")], [true, true]),
            (&[(SITE, "same-origin"), (ORIGIN, "http://evil.example")], [false, true]),
            (&[(ORIGIN, "http://park.example")], [false, false]),
            (&[(ORIGIN, "http://park.example:80")], [false, false]),
            (&[(ORIGIN, "http://park.example:81")], [true, true]),
            (&[(ORIGIN, "https://park.example")], [true, true]),
            (&[(ORIGIN, "http://park.example.evil")], [true, true]),
            (&[(ORIGIN, "null")], [true, true]),
            (&[(ORIGIN, "")], [true, true]),
            (&[(ORIGIN, "http://park.example"), (ORIGIN, "http://evil.example")], [true, true]),
        ];
        for (headers, expected) in table {
            let head = head(headers);
            let judged = [from_elsewhere, may_be_from_elsewhere].map(|judge| judge(&head, &PLAIN));
            assert_eq!(judged, expected, "{headers:?}");
        }
    }

    #[test]
    fn the_scheme_is_that_of_the_connection_or_of_the_proxy() {
        let encrypted = Client { is_encrypted: true, ..PLAIN };
        let forwarded = Client { is_forwarded: true, ..PLAIN };
        let table = [
            ("http://park.example", [false, true, false]),
            ("https://park.example", [true, false, false]),
            ("https://park.example:443", [true, false, false]),
            ("https://park.example:80", [true, true, true]),
            ("ftp://park.example", [true, true, true]),
        ];
        for (origin, expected) in table {
            let head = head(&[("origin", origin)]);
            let judged = [PLAIN, encrypted, forwarded].map(|it| from_elsewhere(&head, &it));
            assert_eq!(judged, expected, "{origin}");
        }
        let renamed = [("origin", "https://signs.example"), ("x-forwarded-host", "signs.example")];
        assert!(!from_elsewhere(&head(&renamed), &forwarded));
    }
}
