//! Keyed hashes: HMAC-SHA256 with a key for each purpose.

use domain::{
    error::{Error, Result},
    secrets::Mac,
};
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;

use crate::MasterKey;

/// A keyed hash for one purpose, such as `audit` or `cursor`: what is made for one verifies for no other.
#[derive(Clone)]
pub struct KeyedHash(Hmac<Sha256>);

impl KeyedHash {
    /// The keyed hash of a purpose.
    pub fn new(master: &MasterKey, purpose: &str) -> Result<Self> {
        let key = master.derive(&format!("mac/{purpose}"))?;
        Hmac::new_from_slice(&key).map(Self).map_err(Error::internal)
    }
}

impl std::fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyedHash(..)")
    }
}

impl Mac for KeyedHash {
    fn mac(&self, bytes: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(bytes).finalize().into_bytes().into()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    /// Bytes that are all different from call to call.
    #[derive(Debug, Default)]
    pub(crate) struct Counting(AtomicU8);

    impl domain::clock::Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn master() -> MasterKey {
        MasterKey::parse("gXq7vP2mZt9LbR4nWc8KdY3sHf6JuT5e").unwrap()
    }

    #[test]
    fn purposes_and_masters_do_not_meet() {
        let audit = KeyedHash::new(&master(), "audit").unwrap();
        let cursor = KeyedHash::new(&master(), "cursor").unwrap();
        let other = KeyedHash::new(&MasterKey::parse("Zt9LbR4nWc8KdY3sHf6JuT5egXq7vP2m").unwrap(), "audit").unwrap();
        assert_eq!(audit.mac(b"row"), audit.mac(b"row"));
        assert_ne!(audit.mac(b"row"), audit.mac(b"rom"));
        assert_ne!(audit.mac(b"row"), cursor.mac(b"row"));
        assert_ne!(audit.mac(b"row"), other.mac(b"row"));
    }
}
