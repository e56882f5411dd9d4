//! The name by which a request calls this server: the `Host` header, or the authority of its
//! target (an absolute URL in HTTP/1.1, `:authority` in HTTP/2).
//!
//! The name matters to browsers: they decide by it which pages belong to this server. The owner of
//! a domain can point it at 127.0.0.1 (DNS rebinding), and then a page of that domain reaches this
//! server under the domain's name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::{
    HeaderMap, HeaderValue, Uri, Version, header::HOST, request::Parts, uri::Authority,
};

use super::{kind::Kind, problem::Problem};

/// A host and perhaps a port, as they stand in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HostPort<'a> {
    /// A name or an address; IPv6 in brackets.
    host: &'a str,
    port: Option<u16>,
}

impl<'a> HostPort<'a> {
    /// Reads `host`, `host:` or `host:port` (RFC 3986, without user information).
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let end = match text.strip_prefix('[') {
            Some(rest) => rest.find(']')? + 2,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (host, port) = text.split_at(end);
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            _ => return None,
        };
        let is_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(is_name_byte),
        };
        is_host.then_some(Self { host, port })
    }

    /// Whether both are the same place, if `port` stands for a port that is not written.
    pub(super) fn is_same(self, other: HostPort<'_>, port: u16) -> bool {
        self.host.eq_ignore_ascii_case(other.host)
            && self.port.unwrap_or(port) == other.port.unwrap_or(port)
    }

    /// Whether this names this machine so that no domain can: `localhost`, 127.0.0.1, `[::1]`, or
    /// the loopback address `own` that the server listens on.
    pub(super) fn is_this_machine(self, own: IpAddr) -> bool {
        if self.host.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let bare = self.host.trim_matches(['[', ']']);
        let is_local = |address: IpAddr| {
            address == Ipv4Addr::LOCALHOST
                || address == Ipv6Addr::LOCALHOST
                || (own.is_loopback() && address == own)
        };
        bare.parse().is_ok_and(is_local)
    }
}

/// A byte of a registered name: `unreserved`, `sub-delims` or `%` (RFC 3986).
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte)
}

/// Refuses a request whose target is unclear: HTTP/1.1 needs exactly one `Host` (RFC 9112), HTTP/2
/// an authority (RFC 9113), and every name that is there must be one. HTTP/1.0 may do without.
///
/// # Errors
/// 400, as both RFCs want.
pub(super) fn check(version: Version, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let bad = || Problem::new(Kind::BadHost);
    let mut hosts = headers.get_all(HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    let is_missing = match version {
        Version::HTTP_09 | Version::HTTP_10 => false,
        Version::HTTP_11 => host.is_none(),
        _ => host.is_none() && uri.authority().is_none(),
    };
    if is_missing || second.is_some() {
        return Err(bad());
    }
    let host = host.map(|host| of_header(host).ok_or_else(bad)).transpose()?;
    let target = uri.authority().map(Authority::as_str);
    let target = target.map(|text| HostPort::parse(text).ok_or_else(bad)).transpose()?;
    // In HTTP/1.1 the target holds and the header says nothing; in HTTP/2 both must agree.
    match (host, target) {
        (Some(host), Some(target)) if version >= Version::HTTP_2 => {
            let port = default_port(uri.scheme_str().unwrap_or("http"));
            host.is_same(target, port).then_some(()).ok_or_else(bad)
        }
        _ => Ok(()),
    }
}

/// The port of a URL that names none.
pub(super) fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

/// Every name by which a request calls this server; none only in HTTP/1.0.
pub(super) fn names(head: &Parts) -> impl Iterator<Item = HostPort<'_>> {
    let target = head.uri.authority().map(Authority::as_str).and_then(HostPort::parse);
    target.into_iter().chain(head.headers.get_all(HOST).iter().filter_map(of_header))
}

fn of_header(value: &HeaderValue) -> Option<HostPort<'_>> {
    HostPort::parse(value.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn a_host_is_read_as_urls_write_it() {
        let table = [
            ("localhost", Some(("localhost", None))),
            ("LOCALHOST:8000", Some(("LOCALHOST", Some(8000)))),
            ("park.example:", Some(("park.example", None))),
            ("[::1]", Some(("[::1]", None))),
            ("[::1]:80", Some(("[::1]", Some(80)))),
            ("localhost.", Some(("localhost.", None))),
            ("", None),
            (":80", None),
            ("a:b", None),
            ("a:80:80", None),
            ("a:65536", None),
            ("a:+80", None),
            ("::1", None),
            ("[::1", None),
            ("[::1]80", None),
            ("[fe80::1%25lo]", None),
            ("[localhost]", None),
            ("user@localhost", None),
            ("local host", None),
            ("localhost/", None),
            ("localhost,evil.example:80", Some(("localhost,evil.example", Some(80)))),
        ];
        for (text, expected) in table {
            let read = HostPort::parse(text).map(|it| (it.host, it.port));
            assert_eq!(read, expected, "{text:?}");
        }
    }

    #[test]
    fn only_names_that_no_domain_can_have_are_this_machine() {
        let own = IpAddr::from([127, 0, 0, 2]);
        let ours = ["localhost", "LocalHost:9", "127.0.0.1:80", "[::1]", "[0:0::1]:1", "127.0.0.2"];
        for text in ours {
            assert!(HostPort::parse(text).unwrap().is_this_machine(own), "{text}");
        }
        let others = [
            "localhost.",
            "localhost.evil.example",
            "localhost,evil.example",
            "xlocalhost",
            "127.0.0.1.evil.example",
            "127.0.0.3",
            "127.1",
            "2130706433",
            "0.0.0.0",
            "[::]",
            "[::ffff:127.0.0.1]",
            "192.0.2.1",
            "evil.example",
        ];
        for text in others {
            assert!(!HostPort::parse(text).unwrap().is_this_machine(own), "{text}");
        }
        // An address that others reach is none that only this machine has.
        let listened = IpAddr::from([192, 0, 2, 1]);
        assert!(!HostPort::parse("192.0.2.1").unwrap().is_this_machine(listened));
    }

    #[test]
    fn a_request_says_once_whom_it_asks() {
        let (one, http2) = (Version::HTTP_11, Version::HTTP_2);
        let table: [(_, _, &[&str], bool); 19] = [
            (one, "/", &["a"], true),
            (one, "/", &["127.0.0.1:8000"], true),
            (one, "/", &[], false),
            (one, "/", &["a", "a"], false),
            (one, "/", &["a", "b"], false),
            (one, "/", &[""], false),
            (one, "/", &["a b"], false),
            (one, "/", &["a@b"], false),
            (one, "http://b/", &["a"], true),
            (one, "http://b/", &[], false),
            (one, "http://u@b/", &["b"], false),
            (Version::HTTP_10, "/", &[], true),
            (Version::HTTP_10, "/", &["a", "b"], false),
            (http2, "http://a:1/", &[], true),
            (http2, "http://a:1/", &["A:1"], true),
            (http2, "http://a:1/", &["a"], false),
            (http2, "https://a:443/", &["a"], true),
            (http2, "http://a/", &["b"], false),
            (http2, "/", &[], false),
        ];
        for (version, uri, hosts, expected) in table {
            let mut request = Request::builder().version(version).uri(uri);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            let (head, ()) = request.body(()).unwrap().into_parts();
            let judged = check(head.version, &head.uri, &head.headers);
            assert_eq!(judged.is_ok(), expected, "{version:?} {uri} {hosts:?}");
        }
    }
}
