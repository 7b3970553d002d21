//! Who holds bytes, in memory.

use std::ops::Bound;

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx};
use crate::{
    assets::{
        Digest, Edition, Holder, Kept, Place, Stored,
        ports::{BlobQueries, BlobRepo, Held, Reach, UsageRepo},
    },
    clock::Timestamp,
    error::{Error, Result},
};

#[async_trait]
impl BlobRepo for MemoryTx {
    async fn claim(&mut self, stored: &Stored, fresh: Edition, at: Timestamp) -> Result<Edition> {
        let held = self.write().blobs.entry(stored.digest).or_insert(Held {
            place: Place { digest: stored.digest, edition: fresh },
            size: stored.size,
            references: 0,
            public: 0,
            touched_at: at,
        });
        held.touched_at = at;
        Ok(held.place.edition)
    }

    async fn hold(&mut self, kept: &Kept, reach: Reach) -> Result<()> {
        let found = self.write().blobs.get_mut(&kept.digest()).filter(|held| held.place == kept.place);
        let held = found.ok_or_else(|| Error::Unavailable {
            what: "File store",
            source: "the bytes were taken out before they were held".into(),
        })?;
        held.references += 1;
        held.public += u64::from(reach == Reach::Public);
        Ok(())
    }

    async fn share(&mut self, digest: &Digest, reach: Reach) -> Result<bool> {
        let Some(held) = self.write().blobs.get_mut(digest).filter(|held| held.references > 0) else {
            return Ok(false);
        };
        held.references += 1;
        held.public += u64::from(reach == Reach::Public);
        Ok(true)
    }

    async fn release(&mut self, digest: &Digest, reach: Reach, at: Timestamp) -> Result<()> {
        let held = self.write().blobs.get_mut(digest).filter(|held| match reach {
            Reach::Public => held.public > 0,
            Reach::Private => held.references > held.public,
        });
        let held = held.ok_or_else(|| Error::internal("bytes were let go that nobody held"))?;
        held.references -= 1;
        held.public -= u64::from(reach == Reach::Public);
        held.touched_at = at;
        Ok(())
    }
}

#[async_trait]
impl UsageRepo for MemoryTx {
    async fn charge(&mut self, holder: Holder, bytes: u64, most: u64) -> Result<bool> {
        let used = self.state.usage.get(&holder).copied().unwrap_or_default().saturating_add(bytes);
        if used > most {
            return Ok(false);
        }
        self.write().usage.insert(holder, used);
        Ok(true)
    }

    async fn refund(&mut self, holder: Holder, bytes: u64) -> Result<()> {
        let used = self.state.usage.get(&holder).copied().unwrap_or_default();
        let left = used.checked_sub(bytes).ok_or_else(|| Error::internal("more bytes go than were counted"))?;
        self.write().usage.insert(holder, left);
        Ok(())
    }
}

#[async_trait]
impl BlobQueries for MemoryStore {
    async fn find(&self, digest: &Digest) -> Result<Option<Held>> {
        Ok(self.state().blobs.get(digest).copied())
    }

    async fn list(&self, after: Option<&Digest>, limit: u32) -> Result<Vec<Held>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let state = self.state();
        let behind = state.blobs.range((from, Bound::Unbounded)).map(|(_, held)| *held);
        Ok(behind.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn known(&self, places: &[Place]) -> Result<Vec<Place>> {
        let state = self.state();
        let known =
            places.iter().filter(|place| state.blobs.get(&place.digest).is_some_and(|held| held.place == **place));
        Ok(known.copied().collect())
    }

    async fn condemn(&self, before: Timestamp, limit: u32) -> Result<Vec<Place>> {
        let mut shared = self.shared();
        let state = std::sync::Arc::make_mut(&mut shared.state);
        let idle = state.blobs.values().filter(|held| held.references == 0 && held.touched_at < before);
        let gone: Vec<Place> = idle.take(usize::try_from(limit).unwrap_or(usize::MAX)).map(|held| held.place).collect();
        for place in &gone {
            state.blobs.remove(&place.digest);
        }
        Ok(gone)
    }

    async fn usage(&self, holder: Holder) -> Result<u64> {
        Ok(self.state().usage.get(&holder).copied().unwrap_or_default())
    }
}
