//! The one secret of an installation (`SOUK_SECRET_KEY`, ruling R24); every other key is derived from it or sealed
//! under one that is.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    clock::Entropy,
    error::{Error, Result},
};
use hkdf::Hkdf;
use sha2::Sha256;

/// The fewest bytes of a master key.
const BYTES_MIN: usize = 32;
/// The fewest different bytes; thirty-two random ones practically always have more than twenty.
const DISTINCT_MIN: usize = 10;
/// What people leave standing from examples, in lower case.
const KNOWN: &[&str] = &["change", "default", "example", "password", "secret", "0123456789", "abcdefgh", "your-"];

/// Why a text is no master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeakKey {
    /// Fewer than 32 bytes.
    Short,
    /// A text from an example, or one with hardly any different characters.
    Known,
}

impl std::fmt::Display for WeakKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short => write!(f, "must have at least {BYTES_MIN} bytes; make one with `openssl rand -base64 48`"),
            Self::Known => f.write_str("is a known default or too regular; make one with `openssl rand -base64 48`"),
        }
    }
}

impl std::error::Error for WeakKey {}

/// The master key. `Debug` does not show it.
#[derive(Clone)]
pub struct MasterKey(Vec<u8>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl MasterKey {
    /// Checks a secret chosen by the operator.
    pub fn parse(text: &str) -> std::result::Result<Self, WeakKey> {
        let text = text.trim();
        if text.len() < BYTES_MIN {
            return Err(WeakKey::Short);
        }
        let lower = text.to_lowercase();
        let distinct: std::collections::BTreeSet<u8> = text.bytes().collect();
        if distinct.len() < DISTINCT_MIN || KNOWN.iter().any(|known| lower.contains(known)) {
            return Err(WeakKey::Known);
        }
        Ok(Self(text.as_bytes().to_vec()))
    }

    /// The key of a development installation: read from the file, which is made with a random key, readable by its
    /// owner only, when it is not there.
    ///
    /// # Errors
    /// [`Error::Internal`] when the file cannot be read or made, or holds no key.
    pub fn from_file(path: &Path, entropy: &dyn Entropy) -> Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|weak| Error::internal(format!("{}: {weak}", path.display()))),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::create(path, entropy),
            Err(error) => Err(Error::internal(format!("{}: {error}", path.display()))),
        }
    }

    fn create(path: &Path, entropy: &dyn Entropy) -> Result<Self> {
        let fault = |error: std::io::Error| Error::internal(format!("{}: {error}", path.display()));
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fault)?;
        let mut bytes = [0; 48];
        entropy.fill(&mut bytes);
        let text = URL_SAFE_NO_PAD.encode(bytes);
        // Written beside and linked into place, so that a second process never reads half a key and the first one
        // to arrive decides.
        let draft = folder.join(format!(".secret-{}", text.get(..12).unwrap_or_default()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(fault)?;
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        let linked = written.and_then(|()| fs::hard_link(&draft, path));
        fs::remove_file(&draft).map_err(fault)?;
        match linked {
            Ok(()) => Ok(Self(text.into_bytes())),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::from_file(path, entropy),
            Err(error) => Err(fault(error)),
        }
    }

    /// A key for one purpose: HKDF-SHA256 with the purpose as its info. Knowing it tells nothing of any other.
    pub(crate) fn derive(&self, purpose: &str) -> Result<[u8; 32]> {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(Some(b"souk"), &self.0).expand(purpose.as_bytes(), &mut key).map_err(Error::internal)?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::mac::tests::Counting;

    #[test]
    fn short_and_known_secrets_are_refused() {
        assert_eq!(MasterKey::parse("k3y").unwrap_err(), WeakKey::Short);
        assert_eq!(MasterKey::parse(&"a1".repeat(20)).unwrap_err(), WeakKey::Known);
        assert_eq!(MasterKey::parse("change-me-please-I-am-forty-bytes-long").unwrap_err(), WeakKey::Known);
        assert_eq!(format!("{:?}", MasterKey::parse("gXq7vP2mZt9LbR4nWc8KdY3sHf6JuT5e").unwrap()), "MasterKey(..)");
    }

    #[test]
    fn purposes_have_different_keys() {
        let key = MasterKey::parse("gXq7vP2mZt9LbR4nWc8KdY3sHf6JuT5e").unwrap();
        assert_ne!(key.derive("mac/audit").unwrap(), key.derive("mac/cursor").unwrap());
        assert_eq!(key.derive("mac/audit").unwrap(), key.derive("mac/audit").unwrap());
    }

    #[test]
    fn a_file_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/secret.key");
        let entropy = Counting::default();
        let made = MasterKey::from_file(&path, &entropy).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = MasterKey::from_file(&path, &entropy).unwrap();
        assert_eq!(made.derive("x").unwrap(), read.derive("x").unwrap());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_is_a_fault_and_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        fs::write(&path, "cut").unwrap();
        assert!(MasterKey::from_file(&path, &Counting::default()).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "cut");
    }
}
