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

/// The bytes of two hexadecimal digits each; `None` for another text.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_back() {
        let bytes = [0, 1, 0x7f, 0xff];
        assert_eq!(hex(&bytes), "00017fff");
        assert_eq!(unhex(&hex(&bytes)), Some(bytes.to_vec()));
        for bad in ["0", "0g", "\u{e9}", "+1"] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
