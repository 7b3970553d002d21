//! What a call goes to, and who says so.

use reqwest::Url;

use super::{CallError, Guard};

/// What a call goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(super) url: Url,
    pub(super) trusted: bool,
}

impl Target {
    /// An address that somebody else supplied. What its name leads to is vetted when it is called.
    ///
    /// # Errors
    /// [`CallError::Address`] for another scheme than http and https, and for credentials in it.
    pub fn of_user(url: &str) -> Result<Self, CallError> {
        Ok(Self { url: read(url)?, trusted: false })
    }

    /// A base that the operator configured: it may be anywhere, and stands for itself and what is below it.
    ///
    /// # Errors
    /// As for [`Target::of_user`].
    pub fn of_operator(base: &str) -> Result<Self, CallError> {
        Ok(Self { url: read(base)?, trusted: true })
    }

    /// What stands below it: its path goes on with these segments, whatever is in them.
    #[must_use]
    pub fn below(&self, segments: &[&str]) -> Self {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(segments.iter().map(|segment| if matches!(*segment, "." | "..") { "" } else { segment }));
        }
        Self { url, trusted: self.trusted }
    }

    /// The same with one more parameter in its query.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Vets an address that is written as numbers; no resolver is asked for those.
    pub(super) fn vet(&self, guard: &Guard) -> Result<(), CallError> {
        let address = match self.url.host() {
            Some(url::Host::Ipv4(address)) => address.into(),
            Some(url::Host::Ipv6(address)) => address.into(),
            Some(url::Host::Domain(_)) => return Ok(()),
            None => return Err(CallError::Address("must name a host")),
        };
        if self.trusted || guard.admits(address) { Ok(()) } else { Err(CallError::Host) }
    }

    /// Where an answer leads to, as far as it may be followed.
    pub(super) fn led_to(&self, location: &str) -> Result<Self, CallError> {
        let url = self.url.join(location).map_err(|_| CallError::Redirect)?;
        check(&url)?;
        if self.trusted && url.origin() != self.url.origin() {
            return Err(CallError::Redirect);
        }
        // What came encrypted is not asked for in clear.
        if self.url.scheme() == "https" && url.scheme() != "https" {
            return Err(CallError::Redirect);
        }
        Ok(Self { url, trusted: self.trusted })
    }
}

fn read(text: &str) -> Result<Url, CallError> {
    let url: Url =
        text.parse().map_err(|_| CallError::Address("must be an address, such as https://example.com/hook"))?;
    check(&url)?;
    Ok(url)
}

fn check(url: &Url) -> Result<(), CallError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(CallError::Address("must begin with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(CallError::Address("must not hold a user name or a password"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_schemes_and_credentials_are_refused() {
        for bad in [
            "",
            "example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "gopher://x",
            "data:text/plain,x",
            "javascript:alert(1)",
            "ws://example.com",
            "unix:///run/docker.sock",
            "blob:https://example.com/1",
            "https://",
            "https://[::1",
            "https://[fe80::1%25eth0]/",
            "https://256.256.256.256",
            "https://example.com:65536",
            "https://a:b@example.com",
            "https://a@example.com",
            "https://:b@example.com",
            // Whose host is what stands behind the last `@`.
            "https://example.com@127.0.0.1",
            "https://example.com:443@127.0.0.1",
            "https:\\\\example.com@127.0.0.1",
        ] {
            assert!(matches!(Target::of_user(bad), Err(CallError::Address(_))), "{bad}");
            assert!(matches!(Target::of_operator(bad), Err(CallError::Address(_))), "{bad}");
        }
    }

    #[test]
    fn every_way_to_write_an_address_inside_is_seen_through() {
        let guard = Guard::default();
        for inside in [
            "http://127.0.0.1",
            "http://2130706433",
            "http://0x7f.1",
            "http://0177.0.0.1",
            "http://127.1",
            "http://0x7f000001",
            "http://017700000001",
            "http://0x7f.0.0x0.01",
            "http://0xA9FEA9FE/latest",
            "http://2852039166/latest",
            "http://0251.0376.0251.0376/latest",
            "http://10.1",
            "http://192.168.257",
            "http://%31%32%37.0.0.1",
            "http://127。0。0。1",
            "http:127.0.0.1",
            "http:\\\\127.0.0.1",
            "http://127.0.0.1#@example.com",
            "http://127.0.0.1\\@example.com",
            "http://[::1]",
            "http://[::ffff:7f00:1]",
            "http://[0:0:0:0:0:0:0:1]",
            "http://[::127.0.0.1]",
            "http://[64:ff9b::10.0.0.1]",
            "http://[2002:7f00:1::]",
            "http://[::ffff:169.254.169.254]/latest",
            "http://0",
            "http://①②⑦.0.0.1",
            "http://127.0.0.1.",
        ] {
            assert!(matches!(Target::of_user(inside).unwrap().vet(&guard), Err(CallError::Host)), "{inside}");
        }
        assert!(Target::of_operator("http://127.0.0.1:9").unwrap().vet(&guard).is_ok());
        assert!(Target::of_user("http://8.8.8.8").unwrap().vet(&guard).is_ok());
    }

    #[test]
    fn what_is_below_a_base_stays_there() {
        let base = Target::of_operator("https://idp.example/realm/").unwrap();
        assert_eq!(
            base.below(&["users", "a/b?c", ".."]).with("q", "x y&z").url().as_str(),
            "https://idp.example/realm/users/a%2Fb%3Fc/?q=x+y%26z"
        );
        assert!(matches!(base.led_to("https://other.example/"), Err(CallError::Redirect)));
        assert!(matches!(base.led_to("http://idp.example/"), Err(CallError::Redirect)));
        assert_eq!(base.led_to("keys").unwrap().url().as_str(), "https://idp.example/realm/keys");
    }
}
