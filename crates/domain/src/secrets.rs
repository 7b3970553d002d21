//! Secrets as ports: keys live outside the database and never leave their adapter.

use crate::error::Result;

/// A keyed hash. Who can write the database but lacks the key cannot make one.
pub trait Mac: Send + Sync {
    /// The keyed hash of `bytes`.
    fn mac(&self, bytes: &[u8]) -> [u8; 32];
}

/// Seals what must not be read in the database, such as signing keys (ruling R24).
pub trait Sealer: Send + Sync {
    /// Encrypts and authenticates `plain`. `context` names its place, so that it opens nowhere else.
    fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>>;

    /// Opens what [`Sealer::seal`] made in the same context.
    fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>>;
}

/// Bytes as two hexadecimal digits each.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
