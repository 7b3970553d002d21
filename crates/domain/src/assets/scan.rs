//! A look at all bytes for malware, on their way into a store: what is found to be harmful never lies there.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    Chunks, Place, Terms,
    ports::{Blobs, Listed, Staged},
};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
};

/// Knows malware.
#[async_trait]
pub trait Scanner: Send + Sync {
    /// Begins to look at bytes.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not answer.
    async fn begin(&self) -> Result<Box<dyn Scan>>;

    /// Whether it answers.
    ///
    /// # Errors
    /// Why not.
    async fn check(&self) -> Result<()>;
}

/// A look at some bytes.
#[async_trait]
pub trait Scan: Send {
    /// The next of them.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the scanner is gone; [`Error::TooLarge`] for more than it takes.
    async fn push(&mut self, piece: &Bytes) -> Result<()>;

    /// What was found, by its name, now that all of them have come; `None` when they are harmless as far as it knows.
    ///
    /// # Errors
    /// Those of [`Scan::push`].
    async fn finish(self: Box<Self>) -> Result<Option<String>>;
}

/// A store whose bytes are looked at on their way in, unless their terms say that nobody need. While the scanner is away nothing that
/// somebody brings comes in.
pub struct ScannedBlobs {
    /// The store.
    pub blobs: Arc<dyn Blobs>,
    /// Looks at what comes.
    pub scanner: Arc<dyn Scanner>,
}

impl std::fmt::Debug for ScannedBlobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScannedBlobs(..)")
    }
}

#[async_trait]
impl Blobs for ScannedBlobs {
    async fn stage(&self, source: &mut dyn Chunks, terms: &Terms) -> Result<Box<dyn Staged>> {
        if !terms.scanned {
            return self.blobs.stage(source, terms).await;
        }
        let mut watched = Watched { source, scan: Some(self.scanner.begin().await?) };
        self.blobs.stage(&mut watched, terms).await
    }

    async fn read(&self, place: &Place, range: Range<u64>) -> Result<Option<Box<dyn Chunks>>> {
        self.blobs.read(place, range).await
    }

    async fn size(&self, place: &Place) -> Result<Option<u64>> {
        self.blobs.size(place).await
    }

    async fn remove(&self, place: &Place) -> Result<()> {
        self.blobs.remove(place).await
    }

    async fn list(&self, after: Option<&Place>, limit: u32) -> Result<Vec<Listed>> {
        self.blobs.list(after, limit).await
    }

    async fn sweep(&self, before: Timestamp) -> Result<u64> {
        self.blobs.sweep(before).await
    }

    async fn check(&self) -> Result<()> {
        self.blobs.check().await
    }
}

/// A source that ends well only when its bytes are harmless, so a store never stages what is not.
struct Watched<'a> {
    source: &'a mut dyn Chunks,
    scan: Option<Box<dyn Scan>>,
}

#[async_trait]
impl Chunks for Watched<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        if let Some(piece) = self.source.next().await? {
            if let Some(scan) = &mut self.scan {
                scan.push(&piece).await?;
            }
            return Ok(Some(piece));
        }
        let Some(scan) = self.scan.take() else { return Ok(None) };
        match scan.finish().await? {
            None => Ok(None),
            Some(name) => Err(Error::invalid("file", "malware", format!("is refused: the scanner found {name} in it"))),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::{
        assets::{Storeroom, Whole},
        testing::{Fixtures, MemoryBlobs},
    };

    /// Finds the word "bad", in whatever pieces it comes, and counts how often it looked.
    #[derive(Default)]
    pub(in crate::assets) struct Words(AtomicU32);

    impl Words {
        pub(in crate::assets) fn looks(&self) -> u32 {
            self.0.load(Ordering::SeqCst)
        }
    }

    struct Seen(Vec<u8>);

    #[async_trait]
    impl Scanner for Words {
        async fn begin(&self) -> Result<Box<dyn Scan>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(Seen(Vec::new())))
        }

        async fn check(&self) -> Result<()> {
            Ok(())
        }
    }

    #[async_trait]
    impl Scan for Seen {
        async fn push(&mut self, piece: &Bytes) -> Result<()> {
            self.0.extend_from_slice(piece);
            Ok(())
        }

        async fn finish(self: Box<Self>) -> Result<Option<String>> {
            Ok(self.0.windows(3).any(|word| word == b"bad").then(|| "A.Bad.Word".to_owned()))
        }
    }

    #[tokio::test]
    async fn what_is_harmful_never_lies_in_the_store() {
        let (given, store) = Fixtures::in_memory();
        let inner = Arc::new(MemoryBlobs::default());
        let store_of_bytes: Arc<dyn Blobs> = inner.clone();
        let blobs = Arc::new(ScannedBlobs { blobs: store_of_bytes, scanner: Arc::<Words>::default() });
        let room = Storeroom { blobs, index: Arc::new(store) };
        let refused = room.put(&given.shop, &mut Whole::new("a bad file"), &Terms::at_most(100)).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        assert!(inner.list(None, 10).await.unwrap().is_empty());
        room.put(&given.shop, &mut Whole::new("a good file"), &Terms::at_most(100)).await.unwrap();
        assert_eq!(inner.list(None, 10).await.unwrap().len(), 1);
        let portion = Terms::at_most(100).unscanned();
        room.put(&given.shop, &mut Whole::new("a bad portion"), &portion).await.unwrap();
        assert_eq!(inner.list(None, 10).await.unwrap().len(), 2, "nobody looks at it");
    }
}
