//! When what was changed last, on a clock that ticks with every change.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::cache::Tag;

/// Tags of single things a shard remembers; when there are more, all of them count as changed just now.
const REMEMBERED: usize = 4096;
/// Shards, so that readers seldom meet a writer.
const SHARDS: usize = 16;

/// When what was changed last. The tick before the first change is 1.
pub(super) struct Ages {
    clock: AtomicU64,
    products: AtomicU64,
    categories: AtomicU64,
    shards: [RwLock<Shard>; SHARDS],
    hasher: RandomState,
}

#[derive(Default)]
struct Shard {
    /// The tick of those that are not remembered one by one.
    floor: u64,
    changed: HashMap<Tag, u64>,
}

impl Default for Ages {
    fn default() -> Self {
        Self {
            clock: AtomicU64::new(1),
            products: AtomicU64::new(0),
            categories: AtomicU64::new(0),
            shards: Default::default(),
            hasher: RandomState::new(),
        }
    }
}

impl Ages {
    /// The present tick: what is read from now on shows every change up to it.
    pub(super) fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    /// The tick of the last change of any of these.
    pub(super) fn of(&self, tags: &[Tag]) -> u64 {
        tags.iter().map(|tag| self.changed(*tag)).max().unwrap_or_default()
    }

    /// Notes that these have changed.
    pub(super) fn grow(&self, tags: &[Tag]) {
        // The clock goes first: who reads it from here on reads the change too, which is committed already.
        let tick = self.clock.fetch_add(1, Ordering::SeqCst) + 1;
        for tag in tags {
            match tag {
                Tag::Products => _ = self.products.fetch_max(tick, Ordering::SeqCst),
                Tag::Categories => _ = self.categories.fetch_max(tick, Ordering::SeqCst),
                Tag::Product(_) => self.remember(*tag, tick),
            }
        }
    }

    fn changed(&self, tag: Tag) -> u64 {
        match tag {
            Tag::Products => self.products.load(Ordering::SeqCst),
            Tag::Categories => self.categories.load(Ordering::SeqCst),
            Tag::Product(_) => {
                let Some(shard) = self.shard(tag) else { return u64::MAX };
                let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
                shard.changed.get(&tag).copied().unwrap_or(shard.floor)
            }
        }
    }

    fn remember(&self, tag: Tag, tick: u64) {
        let Some(shard) = self.shard(tag) else { return };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if shard.changed.len() >= REMEMBERED {
            shard.floor = tick;
            shard.changed.clear();
        }
        let last = shard.changed.entry(tag).or_default();
        *last = tick.max(*last);
    }

    fn shard(&self, tag: Tag) -> Option<&RwLock<Shard>> {
        let hash = usize::try_from(self.hasher.hash_one(tag) % 16).unwrap_or_default();
        self.shards.get(hash)
    }
}

#[cfg(test)]
mod tests {
    use domain::id::ProductId;

    use super::*;

    fn product(n: usize) -> Tag {
        Tag::Product(ProductId(uuid::Uuid::from_u128(u128::try_from(n).unwrap())))
    }

    #[test]
    fn a_change_is_younger_than_what_was_read_before_it_and_older_than_what_is_read_after() {
        let ages = Ages::default();
        let before = ages.now();
        assert!(ages.of(&[Tag::Products, product(1)]) <= before);
        ages.grow(&[Tag::Products, product(1)]);
        for tag in [Tag::Products, product(1)] {
            assert!(ages.of(&[tag]) > before);
            assert!(ages.of(&[tag]) <= ages.now());
        }
        assert!(ages.of(&[product(2), Tag::Categories]) <= before);
    }

    #[test]
    fn what_is_not_remembered_counts_as_changed() {
        let ages = Ages::default();
        let before = ages.now();
        for n in 0..REMEMBERED * SHARDS * 2 {
            ages.grow(&[product(n)]);
        }
        let now = ages.now();
        for n in 0..REMEMBERED * SHARDS * 2 {
            let age = ages.of(&[product(n)]);
            assert!(age > before && age <= now);
        }
        let kept: usize = ages.shards.iter().map(|shard| shard.read().unwrap().changed.len()).sum();
        assert!(kept <= REMEMBERED * SHARDS, "{kept}");
    }
}
