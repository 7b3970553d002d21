//! What was read and is kept until it changes, bounded.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{clock::Timestamp, error::Result};

/// Things by their keys, each as it was read, until [`Shelf::remove`] says that it changed.
pub(super) struct Shelf<K, T> {
    kept: RwLock<Kept<K, T>>,
    reading: AtomicU64,
}

/// Two generations: when the young one is full it becomes the old one, whose rest is forgotten. What is asked for comes
/// back into the young one.
struct Kept<K, T> {
    young: HashMap<K, Slot<T>>,
    old: HashMap<K, Slot<T>>,
}

enum Slot<T> {
    /// Somebody reads; what they find is kept if this is still here then.
    Reading(u64),
    /// So it was then.
    Read(Arc<T>, Timestamp),
}

impl<K, T> Default for Kept<K, T> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<K, T> Default for Shelf<K, T> {
    fn default() -> Self {
        Self { kept: RwLock::default(), reading: AtomicU64::new(0) }
    }
}

impl<K: Copy + Eq + Hash, T> Kept<K, T> {
    fn get(&self, key: K) -> Option<&Slot<T>> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    fn put(&mut self, key: K, slot: Slot<T>, room: usize) {
        self.old.remove(&key);
        if self.young.len() >= room && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, slot);
    }

    fn remove(&mut self, key: K) {
        self.young.remove(&key);
        self.old.remove(&key);
    }
}

impl<K: Copy + Eq + Hash, T: Clone> Shelf<K, T> {
    /// What is kept of a key, when it was read at most so long ago; else what `read` gives, which is kept unless it changed
    /// meanwhile. Of each generation `room` are kept.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) async fn get<F: Future<Output = Result<Option<T>>>>(
        &self,
        key: K,
        now: Timestamp,
        oldest: Duration,
        room: usize,
        read: impl FnOnce() -> F,
    ) -> Result<Option<T>> {
        if let Some(kept) = self.at_hand(key, now, oldest, room) {
            return Ok(Some((*kept).clone()));
        }
        let ticket = self.reading.fetch_add(1, Ordering::Relaxed);
        self.kept_mut().put(key, Slot::Reading(ticket), room);
        let found = read().await;
        let mut kept = self.kept_mut();
        // Not there any more when it changed meanwhile: what was read may be from before.
        if matches!(kept.get(key), Some(Slot::Reading(mine)) if *mine == ticket) {
            match &found {
                Ok(Some(found)) => kept.put(key, Slot::Read(Arc::new(found.clone()), now), room),
                Ok(None) | Err(_) => kept.remove(key),
            }
        }
        found
    }

    /// It changed.
    pub(super) fn remove(&self, key: K) {
        self.kept_mut().remove(key);
    }

    /// Anything may have changed.
    pub(super) fn clear(&self) {
        *self.kept_mut() = Kept::default();
    }

    fn at_hand(&self, key: K, now: Timestamp, oldest: Duration, room: usize) -> Option<Arc<T>> {
        let (found, young) = {
            let kept = self.kept_ref();
            let Slot::Read(found, at) = kept.get(key)? else { return None };
            if (now - *at).abs() >= chrono::TimeDelta::from_std(oldest).unwrap_or(chrono::TimeDelta::MAX) {
                return None;
            }
            (Arc::clone(found), kept.young.contains_key(&key))
        };
        if !young {
            let mut kept = self.kept_mut();
            if let Some(slot) = kept.old.remove(&key) {
                kept.put(key, slot, room);
            }
        }
        Some(found)
    }

    /// How many are kept, of each generation.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        let kept = self.kept_ref();
        (kept.young.len(), kept.old.len())
    }

    fn kept_ref(&self) -> RwLockReadGuard<'_, Kept<K, T>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_mut(&self) -> RwLockWriteGuard<'_, Kept<K, T>> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}
