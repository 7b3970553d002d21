//! Which addresses are outside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use domain::network::Network;

/// Tells addresses outside from those inside: of this machine, of networks that are not the Internet, and of the services
/// that clouds put beside each machine. What is kept for a use that is none of ours counts as inside.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allowed: Vec<Network>,
}

/// Networks of IPv4 that are not the Internet, by the registry of special purposes (RFC 6890 and after).
const INSIDE_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Behind the NAT of a provider.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local; the metadata of most clouds is at 169.254.169.254.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Public, but what answers there is the platform of one cloud.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, and what was kept for later, with the broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// Networks within `2000::/3`, the Internet of IPv6, that are not part of it.
const INSIDE_V6: &[(Ipv6Addr, u32)] = &[
    // Protocol assignments; among them Teredo, which holds an IPv4 address.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

impl Guard {
    /// Lets through what is outside, and these networks.
    pub fn new(allowed: Vec<Network>) -> Self {
        Self { allowed }
    }

    /// Whether a call may go there.
    pub fn admits(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|network| network.holds(address)) || is_outside(address)
    }
}

fn is_outside(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let inside = |(base, bits): &(Ipv4Addr, u32)| (address.to_bits() ^ base.to_bits()) >> (32 - bits) == 0;
            !INSIDE_V4.iter().any(inside)
        }
        IpAddr::V6(address) => {
            if let Some(address) = embedded(address) {
                return is_outside(IpAddr::V4(address));
            }
            if tunnelled(address).is_some_and(|address| !is_outside(IpAddr::V4(address))) {
                return false;
            }
            let bits = address.to_bits();
            let inside = |(base, length): &(Ipv6Addr, u32)| (bits ^ base.to_bits()) >> (128 - length) == 0;
            bits >> 125 == 1 && !INSIDE_V6.iter().any(inside)
        }
    }
}

/// The IPv4 address that a gateway on the way takes out of one of IPv6: by NAT64 or 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let of = |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => of(high, low),
        _ => None,
    }
}

/// The IPv4 address that a router of a site tunnels to, out of one of IPv6 (ISATAP), whatever network it is in.
fn tunnelled(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(guard: &Guard, text: &str) -> bool {
        guard.admits(text.parse().unwrap())
    }

    #[test]
    fn what_is_inside_is_refused() {
        for inside in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.8.9.10",
            "169.254.169.254",
            "168.63.129.16",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.2.3",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::7f00:1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2002:a9fe:a9fe::1",
            "2a00:1450::5efe:127.0.0.1",
            "2a00:1450::200:5efe:10.0.0.1",
            "fe80::5efe:8.8.8.8",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!admits(&Guard::default(), inside), "{inside}");
        }
    }

    #[test]
    fn what_is_outside_is_let_through() {
        for outside in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
            "2a00:1450::5efe:8.8.8.8",
        ] {
            assert!(admits(&Guard::default(), outside), "{outside}");
        }
    }

    #[test]
    fn the_operator_opens_a_network_and_no_other() {
        let guard = Guard::new(vec!["10.1.0.0/16".parse().unwrap(), "::1".parse().unwrap()]);
        for (address, open) in
            [("10.1.2.3", true), ("::ffff:10.1.2.3", true), ("10.2.0.1", false), ("::1", true), ("127.0.0.1", false)]
        {
            assert_eq!(admits(&guard, address), open, "{address}");
        }
    }
}
