//! Bytes that are those of a stored file but for one place.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Chunks, Storeroom, ports::Held};
use crate::error::{Error, Result};

/// Other bytes for one place of a file; they may go beyond its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// Where they begin, not beyond the end of the file.
    pub at: u64,
    /// The bytes.
    pub bytes: Bytes,
}

impl Patch {
    /// How long a file of this size is with it.
    pub fn size(&self, size: u64) -> u64 {
        size.max(self.end())
    }

    fn end(&self) -> u64 {
        self.at.saturating_add(length(&self.bytes))
    }

    /// The part of it that lies within this range of the file.
    fn within(&self, range: &Range<u64>) -> Option<(u64, Bytes)> {
        let (start, end) = (range.start.max(self.at), range.end.min(self.end()));
        let from = usize::try_from(start.checked_sub(self.at)?).ok()?;
        let to = usize::try_from(end.checked_sub(self.at)?).ok()?;
        (from < to).then(|| (start, self.bytes.slice(from..to)))
    }
}

impl Storeroom {
    /// Opens bytes that somebody holds, with a patch; of a range of what comes of it.
    ///
    /// # Errors
    /// Those of [`Storeroom::open`].
    pub async fn open_patched(&self, held: &Held, range: Range<u64>, patch: Patch) -> Result<Box<dyn Chunks>> {
        let stored = range.start.min(held.size)..range.end.min(held.size);
        let inner = if stored.is_empty() { None } else { Some(self.open(held, Some(stored)).await?) };
        Ok(Box::new(Patched { inner, at: range.start, end: range.end, patch }))
    }
}

struct Patched {
    /// What is stored, while some is left.
    inner: Option<Box<dyn Chunks>>,
    /// Where the next byte lies in what comes of it.
    at: u64,
    end: u64,
    patch: Patch,
}

#[async_trait]
impl Chunks for Patched {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if let Some(inner) = &mut self.inner {
            if let Some(piece) = inner.next().await? {
                let range = self.at..self.at.saturating_add(length(&piece));
                self.at = range.end;
                return over(piece, range.start, self.patch.within(&range)).map(Some);
            }
            self.inner = None;
        }
        let rest = self.patch.within(&(self.at..self.end));
        self.at = self.end;
        Ok(rest.map(|(_, bytes)| bytes))
    }
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// A piece of a file that begins at `at`, with these bytes over it.
fn over(piece: Bytes, at: u64, patch: Option<(u64, Bytes)>) -> Result<Bytes> {
    let Some((start, bytes)) = patch else { return Ok(piece) };
    let from = usize::try_from(start - at).map_err(Error::internal)?;
    let mut whole = piece.to_vec();
    let place = whole.get_mut(from..from + bytes.len());
    place.ok_or_else(|| Error::internal("a patch lies within its piece"))?.copy_from_slice(&bytes);
    Ok(whole.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        assets::{Terms, Whole, ports::Reach},
        testing::{Fixtures, MemoryBlobs},
    };

    #[tokio::test]
    async fn every_range_of_a_patched_file_is_that_of_the_whole() {
        let (given, store) = Fixtures::in_memory();
        let room = Storeroom { blobs: Arc::new(MemoryBlobs::default()), index: Arc::new(store) };
        let kept = room.put(&given.shop, &mut Whole::new("0123456789"), &Terms::at_most(10)).await.unwrap();
        let mut tx = given.tx().await;
        tx.blobs().hold(&kept, Reach::Private).await.unwrap();
        tx.commit().await.unwrap();
        let held = room.find(&kept.digest()).await.unwrap().unwrap();
        for (at, bytes, whole) in [
            (0, "abc", "abc3456789"),
            (4, "xy", "0123xy6789"),
            (8, "tail", "01234567tail"),
            (10, "+more", "0123456789+more"),
            (0, "", "0123456789"),
        ] {
            let patch = Patch { at, bytes: Bytes::from_static(bytes.as_bytes()) };
            let size = patch.size(held.size);
            assert_eq!(size, u64::try_from(whole.len()).unwrap());
            for start in 0..size {
                for end in start + 1..=size {
                    let mut chunks = room.open_patched(&held, start..end, patch.clone()).await.unwrap();
                    let mut read = Vec::new();
                    while let Some(piece) = chunks.next().await.unwrap() {
                        assert!(!piece.is_empty());
                        read.extend_from_slice(&piece);
                    }
                    let expected = &whole.as_bytes()[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
                    assert_eq!(read, expected, "{bytes} at {at}, {start}..{end}");
                }
            }
        }
    }
}
