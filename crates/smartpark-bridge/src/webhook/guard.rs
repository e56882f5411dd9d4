//! The addresses that a webhook may be sent to. A name on the internet may resolve to an address
//! inside the network of the server, and what answers there trusts its neighbours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Networks that are not on the public internet, or reach back into private ones (6to4, Teredo,
/// NAT64, addresses that hold one of version 4): the special registries of IANA.
const FORBIDDEN: [&str; 27] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    // Azure's metadata, on a public address.
    "168.63.129.16/32",
    "::/8",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/8",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/9",
    "ff00::/8",
];

/// Decides which addresses one webhook may be sent to.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    allowed: Vec<IpNet>,
    forbidden: Vec<IpNet>,
    /// Only the networks of `allowed`: without TLS a message must not leave them.
    is_plain: bool,
}

impl Guard {
    pub(super) fn new(allowed: Vec<IpNet>, is_plain: bool) -> Self {
        let forbidden = FORBIDDEN.iter().filter_map(|network| network.parse().ok()).collect();
        Self { allowed, forbidden, is_plain }
    }

    /// Whether a message may be sent to this address.
    pub(super) fn permits(&self, address: IpAddr) -> bool {
        let plain = unmapped(address);
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&plain));
        if is_in(&self.allowed) {
            return true;
        }
        !self.is_plain && address == plain && !is_in(&self.forbidden)
    }
}

/// The address of version 4 that one of version 6 stands for.
fn unmapped(address: IpAddr) -> IpAddr {
    let mapped = |six: Ipv6Addr| -> Option<Ipv4Addr> { six.to_ipv4_mapped() };
    match address {
        IpAddr::V6(six) => mapped(six).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(guard: &Guard, address: &str) -> bool {
        guard.permits(address.parse().unwrap())
    }

    #[test]
    fn every_network_of_the_table_is_one() {
        assert_eq!(Guard::new(Vec::new(), false).forbidden.len(), FORBIDDEN.len());
    }

    #[test]
    fn addresses_inside_are_refused() {
        let guard = Guard::new(Vec::new(), false);
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "168.63.129.16",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::7f00:1",
            "64:ff9b::a00:1",
            "2001:0:1::1",
            "2002:a00:1::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!permits(&guard, inside), "{inside}");
        }
        for outside in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert!(permits(&guard, outside), "{outside}");
        }
    }

    #[test]
    fn what_a_setting_allows_is_permitted_and_no_more() {
        let allowed = vec!["10.1.0.0/16".parse().unwrap(), "fd00::/64".parse().unwrap()];
        let guard = Guard::new(allowed.clone(), false);
        for inside in ["10.1.9.9", "::ffff:10.1.9.9", "fd00::5", "8.8.8.8"] {
            assert!(permits(&guard, inside), "{inside}");
        }
        for other in ["10.2.0.1", "127.0.0.1", "fd01::5"] {
            assert!(!permits(&guard, other), "{other}");
        }
        let plain = Guard::new(allowed, true);
        assert!(permits(&plain, "10.1.9.9"));
        assert!(!permits(&plain, "8.8.8.8"), "not without TLS");
    }
}
