//! A store of bytes in memory.

use std::{
    collections::BTreeMap,
    ops::{Bound, Range},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::FakeClock;
use crate::{
    assets::{
        Chunks, Edition, Gauge, Place, Stored, Terms, Whole,
        ports::{Blobs, Listed, Staged},
    },
    clock::{Clock, Timestamp},
    error::{Error, Result},
};

type Shelves = BTreeMap<Place, (Bytes, Timestamp)>;

/// Bytes in memory. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryBlobs {
    kept: Arc<Mutex<Shelves>>,
    /// The clock by which bytes are old.
    pub clock: Arc<FakeClock>,
}

impl MemoryBlobs {
    /// A store that is as old as this clock says.
    pub fn new(clock: Arc<FakeClock>) -> Self {
        Self { kept: Arc::default(), clock }
    }

    fn kept(&self) -> MutexGuard<'_, Shelves> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Waiting {
    store: MemoryBlobs,
    stored: Stored,
    bytes: Bytes,
}

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn stage(&self, source: &mut dyn Chunks, terms: &Terms) -> Result<Box<dyn Staged>> {
        let (mut gauge, mut bytes) = (Gauge::new(terms)?, BytesMut::new());
        while let Some(piece) = source.next().await? {
            gauge.pass(&piece)?;
            bytes.extend_from_slice(&piece);
        }
        Ok(Box::new(Waiting { store: self.clone(), stored: gauge.end()?, bytes: bytes.freeze() }))
    }

    async fn read(&self, place: &Place, range: Range<u64>) -> Result<Option<Box<dyn Chunks>>> {
        let Some((bytes, _)) = self.kept().get(place).cloned() else { return Ok(None) };
        let start = usize::try_from(range.start).map_err(Error::internal)?;
        let end = usize::try_from(range.end).map_err(Error::internal)?;
        if start > end || end > bytes.len() {
            return Err(Error::internal("asked for bytes behind the end"));
        }
        Ok(Some(Box::new(Whole::new(bytes.slice(start..end)))))
    }

    async fn size(&self, place: &Place) -> Result<Option<u64>> {
        self.kept().get(place).map(|(bytes, _)| length(bytes)).transpose()
    }

    async fn remove(&self, place: &Place) -> Result<()> {
        self.kept().remove(place);
        Ok(())
    }

    async fn list(&self, after: Option<&Place>, limit: u32) -> Result<Vec<Listed>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let kept = self.kept();
        let behind = kept.range((from, Bound::Unbounded)).take(usize::try_from(limit).unwrap_or(usize::MAX));
        behind
            .map(|(place, (bytes, since))| Ok(Listed { place: *place, size: length(bytes)?, since: *since }))
            .collect()
    }

    async fn sweep(&self, _: Timestamp) -> Result<u64> {
        Ok(0)
    }

    async fn check(&self) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Staged for Waiting {
    fn stored(&self) -> Stored {
        self.stored
    }

    async fn publish(self: Box<Self>, edition: Edition) -> Result<()> {
        let (place, now) = (Place { digest: self.stored.digest, edition }, self.store.clock.now());
        self.store.kept().entry(place).or_insert_with(|| (self.bytes.clone(), now));
        Ok(())
    }
}

fn length(bytes: &Bytes) -> Result<u64> {
    u64::try_from(bytes.len()).map_err(Error::internal)
}
