//! Where a request comes from. Headers say what their sender likes: they are believed only where
//! a proxy that was declared has written them.

use std::{fmt, net::IpAddr, str::FromStr};

use axum::http::HeaderMap;

use crate::limits::MAX_FORWARDED_HOPS;

/// The other end of a connection. [`serve`](crate::http::serve) puts it among the extensions of
/// every request; a server of your own that serves [`router`](crate::http::router) must do so.
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

/// Whoever made a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) struct Client {
    /// Its address; none where even the connection is not known.
    pub(in crate::http) address: Option<IpAddr>,
    /// Whether it is on this machine for certain.
    pub(in crate::http) is_local: bool,
    /// Whether its request was encrypted on its way here.
    pub(in crate::http) is_encrypted: bool,
}

impl Client {
    /// The one behind a connection on which this was sent.
    pub(super) fn of(peer: Option<Peer>, headers: &HeaderMap, proxies: &[Network]) -> Self {
        let Some(Peer { address, is_encrypted }) = peer else {
            return Self { address: None, is_local: false, is_encrypted: false };
        };
        let address = address.to_canonical();
        if !is_one_of(proxies, address) {
            let is_local = address.is_loopback();
            return Self { address: Some(address), is_local, is_encrypted };
        }
        let scheme = headers.get("x-forwarded-proto");
        let is_encrypted = is_encrypted || scheme.is_some_and(|scheme| scheme == "https");
        let address = Some(before_proxies(address, headers, proxies));
        // Through a proxy comes whoever reaches it.
        Self { address, is_local: false, is_encrypted }
    }
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
pub(in crate::http) fn is_one_of(networks: &[Network], address: IpAddr) -> bool {
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
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            headers.insert("x-forwarded-proto", "https".parse().unwrap());
            let peer = Peer { address: peer.parse().unwrap(), is_encrypted: false };
            let client = Client::of(Some(peer), &headers, &proxies);
            assert_eq!(client.address, expected.parse().ok(), "{peer:?} {forwarded:?}");
            let through_proxy = peer.address.to_canonical().to_string() != "192.0.2.7";
            assert_eq!(client.is_encrypted, through_proxy);
            assert!(!client.is_local);
        }
        let local = Peer { address: "127.0.0.1".parse().unwrap(), is_encrypted: false };
        assert!(Client::of(Some(local), &HeaderMap::new(), &[]).is_local);
        assert!(!Client::of(None, &HeaderMap::new(), &[]).is_local);
    }
}
