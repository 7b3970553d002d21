//! What bytes are named by.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use crate::{
    clock::Entropy,
    secrets::{hex, unhex},
};

/// The SHA-256 of bytes; as a text, 64 small hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// That of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest kept as these bytes; `None` for another number of them.
    pub fn stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A text that is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a SHA-256 as 64 small hexadecimal digits")]
pub struct NoDigest;

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        // One text for each digest, so that an address is one address.
        let small = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let bytes = unhex(text).filter(|_| small).ok_or(NoDigest)?;
        Self::stored(&bytes).ok_or(NoDigest)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Tells the times apart at which the same bytes came into the store. It is never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edition(pub u64);

impl Edition {
    /// A new one.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        Self(u64::from_be_bytes(bytes))
    }
}

/// Where bytes lie in a store; as a text, the digest, a point, and the edition as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// What they are.
    pub digest: Digest,
    /// Which time they came.
    pub edition: Edition,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:016x}", self.digest, self.edition.0)
    }
}

impl FromStr for Place {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let (digest, edition) = text.split_once('.').ok_or(NoDigest)?;
        let edition = unhex(edition).and_then(|bytes| bytes.try_into().ok()).ok_or(NoDigest)?;
        let place = Self { digest: digest.parse()?, edition: Edition(u64::from_be_bytes(edition)) };
        // A store may hold files of others: only what we would have written is ours.
        if place.to_string() == text { Ok(place) } else { Err(NoDigest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_has_one_text() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse(), Ok(Digest::of(b"")));
        for bad in [&EMPTY.to_uppercase(), &EMPTY[1..], "", &format!("{EMPTY}00"), &EMPTY.replace('e', "g")] {
            assert_eq!(bad.parse::<Digest>(), Err(NoDigest), "{bad}");
        }
        let json = serde_json::to_string(&Digest::of(b"")).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), Digest::of(b""));
    }

    #[test]
    fn a_place_reads_back_and_nothing_else_does() {
        let place = Place { digest: Digest::of(b"a"), edition: Edition(0xab) };
        assert_eq!(place.to_string().parse(), Ok(place));
        let (digest, upper) = (place.digest, place.to_string().replace("00ab", "00AB"));
        for bad in [digest.to_string(), format!("{digest}.ab"), format!("{digest}."), upper, format!("{place}.tmp")] {
            assert_eq!(bad.parse::<Place>(), Err(NoDigest), "{bad}");
        }
    }
}
