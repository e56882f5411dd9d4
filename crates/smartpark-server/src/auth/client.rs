//! Where a request comes from. Headers say what their sender likes: they are believed only where
//! a proxy that was declared has written them. That they are there at all says that something
//! forwarded the request: then it comes from this machine only at first sight.

use std::{fmt, net::IpAddr, str::FromStr};

use axum::http::{HeaderMap, request::Parts};

use crate::host;
use smartpark_ledger::limits::MAX_FORWARDED_HOPS;

/// The other end of a connection. [`serve`](crate::serve) puts it among the extensions of
/// every request; a server of your own that serves [`router`](crate::router) must do so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// Whether the connection is encrypted.
    pub is_encrypted: bool,
}

/// An address, or all that begin with the same bits: `10.0.0.5`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether an address is one of its.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let read = || {
            let address: IpAddr = address.parse().ok()?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
            (bits <= most).then_some(Self { address, bits })
        };
        read().ok_or_else(|| "must be an address, or a network like 10.0.0.0/8".to_owned())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The client that made a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its address; none if even the connection is not known.
    pub(crate) address: Option<IpAddr>,
    /// Whether it is on this machine, and asked for this machine by a name that no domain has.
    pub(crate) is_local: bool,
    /// Whether its request was encrypted on its way here.
    pub(crate) is_encrypted: bool,
    /// Whether a proxy or a tunnel says that it handed the request on.
    pub(crate) is_forwarded: bool,
}

impl Client {
    /// The one that made this request to a server that listens on `own`.
    pub(super) fn of(head: &Parts, proxies: &[Network], own: IpAddr) -> Self {
        let headers = &head.headers;
        let is_forwarded = is_forwarded(headers);
        let Some(Peer { address, is_encrypted }) = head.extensions.get().copied() else {
            return Self { address: None, is_local: false, is_encrypted: false, is_forwarded };
        };
        let address = address.to_canonical();
        if !is_one_of(proxies, address) {
            let is_local = address.is_loopback() && !is_forwarded && asks_this_machine(head, own);
            return Self { address: Some(address), is_local, is_encrypted, is_forwarded };
        }
        let scheme = headers.get("x-forwarded-proto");
        let is_encrypted = is_encrypted || scheme.is_some_and(|scheme| scheme == "https");
        let address = Some(before_proxies(address, headers, proxies));
        // Anybody who reaches the proxy comes through it.
        Self { address, is_local: false, is_encrypted, is_forwarded: true }
    }
}

/// Whether a request calls this server by names of this machine only. A request without any name
/// was not made by a browser, but nothing else is known of it.
fn asks_this_machine(head: &Parts, own: IpAddr) -> bool {
    let mut names = host::names(head).peekable();
    names.peek().is_some() && names.all(|name| name.is_this_machine(own))
}

/// Headers that proxies, tunnels and content delivery networks add to what they hand on, beside
/// those that begin with [`FORWARDED`].
const FORWARDING: [&str; 24] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-real-port",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-original-host",
    "x-originating-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-proxyuser-ip",
    "x-envoy-external-address",
    "x-appengine-user-ip",
    "x-azure-clientip",
    "true-client-ip",
    "client-ip",
    "proxy-client-ip",
    "wl-proxy-client-ip",
    "cf-connecting-ip",
    "cf-ray",
    "fastly-client-ip",
    "fly-client-ip",
    "cdn-loop",
];
/// How the other names begin: `X-Forwarded-For`, `-Host`, `-Proto`, `-Port`, `-Server` and so on.
const FORWARDED: &str = "x-forwarded";

/// Whether something says that it handed this request on, whatever it says of where it came from.
fn is_forwarded(headers: &HeaderMap) -> bool {
    let mut names = headers.keys().map(axum::http::HeaderName::as_str);
    names.any(|name| name.starts_with(FORWARDED) || FORWARDING.contains(&name))
}

/// The last hop that no proxy of ours is, read from the right: what stands to the left of it was
/// written by somebody else. Where a hop cannot be read, the proxy that wrote it stands for all
/// behind it.
fn before_proxies(proxy: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> IpAddr {
    let values = headers.get_all("x-forwarded-for").iter().rev();
    let hops = values.flat_map(|value| value.to_str().unwrap_or("?").rsplit(','));
    let mut nearest = proxy;
    for hop in hops.take(MAX_FORWARDED_HOPS) {
        let Some(address) = hop_address(hop.trim()) else { break };
        nearest = address;
        if !is_one_of(proxies, address) {
            break;
        }
    }
    nearest
}

/// The address of a hop, which may come with a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(bare, _)| bare);
    let parsed = bare.unwrap_or(hop).parse().ok();
    let with_port = || hop.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    parsed.or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

/// Whether an address belongs to one of the networks.
pub(crate) fn is_one_of(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_what_begins_with_their_bits() {
        let table = [
            ("10.0.0.5", "10.0.0.5", true),
            ("10.0.0.5", "10.0.0.6", false),
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("fd00::/8", "fd12::1", true),
            ("::/0", "fe80::1", true),
        ];
        for (network, address, expected) in table {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{network} {address}");
        }
        for text in ["", "proxy", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_declared_proxies_are_believed() {
        let proxies: Vec<Network> =
            ["10.0.0.0/8", "127.0.0.1"].iter().map(|text| text.parse().unwrap()).collect();
        let table = [
            // Nobody's proxy: what it says of others is not heard.
            ("192.0.2.7", &["198.51.100.1"][..], "192.0.2.7"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.1", "198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.1, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.1, nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["127.0.0.1"], "127.0.0.1"),
        ];
        for (peer, forwarded, expected) in table {
            let values = forwarded.iter().map(|value| ("x-forwarded-for", *value));
            let headers: Vec<_> = values.chain([("x-forwarded-proto", "https")]).collect();
            let client = client(Some(peer), &headers, &proxies);
            assert_eq!(client.address, expected.parse().ok(), "{peer:?} {forwarded:?}");
            let through_proxy = peer != "192.0.2.7";
            assert_eq!(client.is_encrypted, through_proxy);
            assert!(!client.is_local && client.is_forwarded);
        }
    }

    const OWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// The client at the other end of a connection from this address that sent these headers.
    fn client(peer: Option<&str>, headers: &[(&str, &str)], proxies: &[Network]) -> Client {
        let mut request = axum::http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        let peer = peer.map(|peer| Peer { address: peer.parse().unwrap(), is_encrypted: false });
        if let Some(peer) = peer {
            head.extensions.insert(peer);
        }
        Client::of(&head, proxies, OWN)
    }

    #[test]
    fn on_this_machine_is_only_a_client_that_asks_for_it_itself() {
        let host = ("host", "localhost:8000");
        assert!(client(Some("127.0.0.1"), &[host], &[]).is_local);
        assert!(client(Some("::1"), &[("host", "[::1]:8000")], &[]).is_local);
        assert!(!client(Some("192.0.2.7"), &[host], &[]).is_local);
        assert!(!client(None, &[host], &[]).is_local);
        assert!(!client(Some("127.0.0.1"), &[], &[]).is_local);
        assert!(!client(Some("127.0.0.1"), &[("host", "evil.example")], &[]).is_local);
        let more = ["x-forwarded-for", "x-forwarded-server", "x-forwarded"];
        for name in FORWARDING.into_iter().chain(more) {
            for value in ["127.0.0.1", ""] {
                let client = client(Some("127.0.0.1"), &[host, (name, value)], &[]);
                assert!(!client.is_local && client.is_forwarded, "{name}");
            }
        }
        let usual = ["accept", "user-agent", "x-request-id", "forward", "viable"];
        let usual = usual.map(|name| (name, "x"));
        assert!(client(Some("127.0.0.1"), &[&usual[..], &[host]].concat(), &[]).is_local);
    }
}
