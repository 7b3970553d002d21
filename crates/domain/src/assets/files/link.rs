//! Links that are good for a short time, for programs that cannot say who they are.

use std::{sync::Arc, time::Duration};

use crate::{
    clock::Timestamp,
    id::FileId,
    secrets::{Mac, hex, unhex},
};

/// How long a link is good when nobody says.
pub const LINK_DEFAULT: Duration = Duration::from_mins(5);

/// How long a link is good at most: it is a secret in an address.
pub const LINK_MAX: Duration = Duration::from_hours(1);

/// What a link holds beside the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its end, in seconds since 1970.
    pub expires: i64,
    /// What proves that we made it, as hexadecimal digits.
    pub signature: String,
}

/// Makes and reads links, by a key for this purpose alone.
#[derive(Clone)]
pub struct Links(Arc<dyn Mac>);

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Links(..)")
    }
}

impl Links {
    /// Links by this key.
    pub fn new(mac: Arc<dyn Mac>) -> Self {
        Self(mac)
    }

    /// A link to a file that is good until then, to the second.
    pub fn sign(&self, file: FileId, until: Timestamp) -> Link {
        let expires = until.timestamp();
        Link { expires, signature: hex(&self.mac(file, expires)) }
    }

    /// Whether a link leads to this file, and still does.
    pub fn holds(&self, file: FileId, link: &Link, now: Timestamp) -> bool {
        let expected = self.mac(file, link.expires);
        // Every byte is compared, so that the time taken tells nothing.
        let same = unhex(&link.signature).is_some_and(|given| {
            given.len() == expected.len()
                && given.iter().zip(expected).fold(0, |differ, (one, other)| differ | (one ^ other)) == 0
        });
        same && now.timestamp() < link.expires
    }

    fn mac(&self, file: FileId, expires: i64) -> [u8; 32] {
        self.0.mac(&[b"download\0".as_slice(), file.0.as_bytes(), &expires.to_be_bytes()].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::PlainMac;

    #[test]
    fn a_link_is_for_one_file_and_one_while() {
        let links = Links::new(Arc::new(PlainMac));
        let (one, other) = (FileId(uuid::Uuid::from_u128(1)), FileId(uuid::Uuid::from_u128(2)));
        let now = Timestamp::from_timestamp(1000, 999_999_000).unwrap();
        let link = links.sign(one, now + Duration::from_mins(1));
        assert!(links.holds(one, &link, now));
        assert!(!links.holds(other, &link, now));
        assert!(!links.holds(one, &link, now + Duration::from_mins(1)));
        let longer = Link { expires: link.expires + 1, ..link.clone() };
        assert!(!links.holds(one, &longer, now));
        for signature in ["", "00", "zz", &link.signature[2..], &link.signature.replace(&link.signature[..1], "")] {
            assert!(!links.holds(one, &Link { signature: signature.to_owned(), ..link.clone() }, now), "{signature}");
        }
    }
}
