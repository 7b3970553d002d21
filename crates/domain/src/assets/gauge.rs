//! What passes into a store is counted and hashed on its way.

use sha2::{Digest as _, Sha256};

use super::Digest;
use crate::error::{Error, Result};

/// What must be true of bytes, or they are not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Most bytes.
    pub most: u64,
    /// How many they were said to be.
    pub size: Option<u64>,
    /// What they were said to be.
    pub digest: Option<Digest>,
    /// Whether they are looked at for malware, where somebody looks.
    pub scanned: bool,
}

impl Terms {
    /// At most so many bytes, whatever they are.
    pub fn at_most(most: u64) -> Self {
        Self { most, size: None, digest: None, scanned: true }
    }

    /// Nobody need look at them for malware: we made them ourselves of what was looked at, or the whole that they are part of is looked
    /// at when it is there.
    #[must_use]
    pub fn unscanned(self) -> Self {
        Self { scanned: false, ..self }
    }
}

/// What was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// What it is.
    pub digest: Digest,
    /// How many bytes.
    pub size: u64,
}

/// Counts and hashes what passes, and ends it when it breaks its terms. Every adapter of [`Blobs`](super::ports::Blobs) uses
/// this one, so that all refuse the same.
#[derive(Debug)]
pub struct Gauge {
    terms: Terms,
    hash: Sha256,
    passed: u64,
}

impl Gauge {
    /// A gauge nothing has passed yet.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when more was said than may be.
    pub fn new(terms: &Terms) -> Result<Self> {
        if terms.size.is_some_and(|size| size > terms.most) {
            return Err(too_large(terms.most));
        }
        Ok(Self { terms: *terms, hash: Sha256::new(), passed: 0 })
    }

    /// Lets a piece pass.
    ///
    /// # Errors
    /// [`Error::TooLarge`] and [`Error::Invalid`], as soon as it is more than may be or than was said.
    pub fn pass(&mut self, piece: &[u8]) -> Result<()> {
        let length = u64::try_from(piece.len()).map_err(Error::internal)?;
        self.passed = self.passed.saturating_add(length);
        if self.passed > self.terms.most {
            return Err(too_large(self.terms.most));
        }
        if self.terms.size.is_some_and(|said| self.passed > said) {
            return Err(other_size());
        }
        self.hash.update(piece);
        Ok(())
    }

    /// How many bytes have passed.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// What has passed, when it was all.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is not what was said.
    pub fn end(self) -> Result<Stored> {
        if self.terms.size.is_some_and(|said| self.passed != said) {
            return Err(other_size());
        }
        let digest = Digest(self.hash.finalize().into());
        if self.terms.digest.is_some_and(|said| said != digest) {
            return Err(Error::invalid("digest", "digest", "the bytes do not have the SHA-256 they were said to have"));
        }
        Ok(Stored { digest, size: self.passed })
    }
}

fn too_large(most: u64) -> Error {
    Error::TooLarge(format!("A file may have at most {most} bytes"))
}

fn other_size() -> Error {
    Error::invalid("size", "size", "the bytes are not as many as they were said to be")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(terms: &Terms, pieces: &[&[u8]]) -> Result<Stored> {
        let mut gauge = Gauge::new(terms)?;
        for piece in pieces {
            gauge.pass(piece)?;
        }
        gauge.end()
    }

    #[test]
    fn pieces_are_hashed_as_one() {
        let stored = passed(&Terms::at_most(3), &[b"a", b"bc"]).unwrap();
        assert_eq!(stored, Stored { digest: Digest::of(b"abc"), size: 3 });
        assert_eq!(passed(&Terms::at_most(0), &[]).unwrap().digest, Digest::of(b""));
    }

    #[test]
    fn what_breaks_its_terms_is_refused() {
        let most = Terms::at_most(3);
        assert!(matches!(passed(&most, &[b"ab", b"cd"]), Err(Error::TooLarge(_))));
        assert!(matches!(passed(&Terms { size: Some(4), ..most }, &[]), Err(Error::TooLarge(_))));
        for pieces in [&[b"ab".as_slice()][..], &[b"ab".as_slice(), b"c"][..]] {
            let size = if pieces.len() == 1 { 3 } else { 2 };
            assert!(matches!(passed(&Terms { size: Some(size), ..most }, pieces), Err(Error::Invalid(_))));
        }
        let said = Terms { digest: Some(Digest::of(b"abc")), size: Some(3), ..most };
        assert!(passed(&said, &[b"abc"]).is_ok());
        assert!(matches!(passed(&said, &[b"abd"]), Err(Error::Invalid(_))));
    }
}
