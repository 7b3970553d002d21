//! Marks: where the chain begins and ends, each sealed with the key outside the database.

use std::{fmt, str::FromStr};

use crate::secrets::Mac;

/// Which end of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The last link that was purged; the chain begins after it.
    Base,
    /// The last link made.
    Head,
}

impl End {
    /// The name stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Head => "head",
        }
    }
}

/// One end of the chain. Who can write the database but lacks the key can neither make nor move one; an older mark that
/// was copied away can be put back, against which an operator keeps a [`Note`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The number of the link; 0 before the first.
    pub seq: u64,
    /// The hash of the link; zeros before the first.
    pub hash: [u8; 32],
    /// The keyed hash over the end's name and both.
    pub seal: [u8; 32],
}

impl Mark {
    /// A mark with its seal.
    pub fn sealed(key: &dyn Mac, end: End, seq: u64, hash: [u8; 32]) -> Self {
        Self { seq, hash, seal: seal(key, end, seq, &hash) }
    }

    /// Whether the seal fits.
    pub fn holds(&self, key: &dyn Mac, end: End) -> bool {
        self.seal == seal(key, end, self.seq, &self.hash)
    }

    /// What an operator writes down elsewhere.
    pub fn note(&self) -> Note {
        Note { seq: self.seq, hash: self.hash }
    }
}

fn seal(key: &dyn Mac, end: End, seq: u64, hash: &[u8; 32]) -> [u8; 32] {
    // The text in front keeps a seal apart from a link's hash, which begins with its number.
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(b"audit mark ");
    bytes.extend_from_slice(end.name().as_bytes());
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(hash);
    key.mac(&bytes)
}

/// A link as an operator keeps it outside the database, `SEQ:HASH`: proof that the log reached so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// The number of the link.
    pub seq: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.seq)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Note {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "must be SEQ:HASH as `souk audit verify` prints it, such as 12:9f..";
        let (seq, hex) = text.trim().split_once(':').ok_or(FORM)?;
        let seq = seq.parse().map_err(|_| FORM)?;
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(FORM);
        }
        let mut hash = [0; 32];
        for (place, digits) in hash.iter_mut().zip(hex.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| FORM)?;
            *place = u8::from_str_radix(digits, 16).map_err(|_| FORM)?;
        }
        Ok(Self { seq, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reads_back_and_bad_ones_are_refused() {
        let note = Note { seq: 12, hash: std::array::from_fn(|i| u8::try_from(i * 7).unwrap()) };
        assert_eq!(note.to_string().parse(), Ok(note));
        for bad in
            ["", "12", "12:", "12:ff", "x:00", &format!("1:{}", "zz".repeat(32)), &format!("1:{}", "é".repeat(32))]
        {
            assert!(bad.parse::<Note>().is_err(), "{bad:?}");
        }
    }
}
