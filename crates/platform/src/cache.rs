//! The cache of one process: entries in memory, each as old as the youngest change of what it belongs to.

mod ages;
mod flights;
mod memory;
mod own;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ages::Ages;
use async_trait::async_trait;
use domain::{
    Result,
    cache::{Cache, Entry, Key, Lead, Looked, Policy, Tag, tags},
    clock::Entropy,
    id::EventId,
    relay::Numbered,
};
use metrics::Counter;

pub(crate) use self::{
    flights::Making,
    memory::{Found, Life, Mark, Memory},
    own::Own,
};

/// How often somebody waits for another's answer that never comes, before they ask the source themselves.
pub(crate) const WAITS: u32 = 2;

/// A cache in memory. Clones share it.
#[derive(Clone)]
pub struct LocalCache(Arc<Shared>);

struct Shared {
    memory: Memory<Age>,
    ages: Ages,
    own: Own,
    counts: Counts,
}

/// The tick at which the making of an entry began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Age(u64);

impl Mark for Age {
    fn covers(&self, asked: &Self) -> bool {
        self.0 >= asked.0
    }

    fn is_before(&self, other: &Self) -> bool {
        self.0 < other.0
    }
}

impl std::fmt::Debug for LocalCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalCache").field("entries", &self.0.memory.count()).finish_non_exhaustive()
    }
}

impl LocalCache {
    /// A cache of so many entries, none of which is kept longer than `longest`.
    pub fn new(entries: u64, longest: Duration, entropy: Arc<dyn Entropy>) -> Self {
        let memory = Memory::new(entries, longest, entropy);
        Self(Arc::new(Shared { memory, ages: Ages::default(), own: Own::default(), counts: Counts::of("memory") }))
    }

    fn look_at(&self, key: &Key, policy: Policy, now: Instant) -> Step {
        // Before the entry: what is made old after this was not acknowledged when the look began.
        let asked = Age(self.0.ages.of(&key.tags));
        match self.0.memory.find(key, &asked, now, || Age(self.0.ages.now())) {
            Found::Fresh(entry) => Step::Done(Looked::Hit(entry)),
            Found::Stale(entry, making) => Step::Done(Looked::Stale(entry, self.lead(key, policy, making))),
            Found::Nothing(making) => Step::Done(Looked::Miss(self.lead(key, policy, making))),
            Found::Wait(answer) => Step::Wait(answer),
        }
    }

    fn lead(&self, key: &Key, policy: Policy, making: Making<Age>) -> Lead {
        let (memory, key) = (self.0.memory.clone(), key.clone());
        Lead::new(move |entry| {
            if let Some(life) = memory.life(&entry, policy) {
                memory.keep(&key, &entry, making.mark(), life);
            }
            making.done(entry);
        })
    }
}

enum Step {
    Done(Looked),
    Wait(flights::Answer),
}

/// What looks came to, of one tier.
pub(crate) struct Counts {
    pub(crate) hit: Counter,
    pub(crate) stale: Counter,
    pub(crate) miss: Counter,
    /// Made by another who looked at the same time.
    pub(crate) shared: Counter,
    pub(crate) bypass: Counter,
}

impl Counts {
    pub(crate) fn of(tier: &'static str) -> Self {
        let count = |outcome| metrics::counter!("cache_lookups_total", "tier" => tier, "outcome" => outcome);
        let (hit, stale, miss) = (count("hit"), count("stale"), count("miss"));
        Self { hit, stale, miss, shared: count("shared"), bypass: count("bypass") }
    }

    pub(crate) fn note(&self, looked: &Looked) {
        let counter = match looked {
            Looked::Hit(_) => &self.hit,
            Looked::Stale(..) => &self.stale,
            Looked::Miss(_) => &self.miss,
            Looked::Bypass => &self.bypass,
        };
        counter.increment(1);
    }
}

#[async_trait]
impl Cache for LocalCache {
    async fn look(&self, key: &Key, policy: Policy) -> Looked {
        for _ in 0..=WAITS {
            match self.look_at(key, policy, Instant::now()) {
                Step::Done(looked) => {
                    self.0.counts.note(&looked);
                    return looked;
                }
                Step::Wait(answer) => {
                    if let Some(entry) = answer.await_it().await {
                        self.0.counts.shared.increment(1);
                        return Looked::Hit(entry);
                    }
                }
            }
        }
        self.0.counts.bypass.increment(1);
        Looked::Bypass
    }

    async fn glance(&self, key: &Key) -> Option<Arc<Entry>> {
        // Before the entry, as in a look.
        let asked = Age(self.0.ages.of(&key.tags));
        let entry = self.0.memory.fresh(key, &asked, Instant::now())?;
        self.0.counts.hit.increment(1);
        Some(entry)
    }

    async fn invalidate(&self, tags: &[Tag], events: &[EventId]) -> Result<()> {
        self.0.ages.grow(tags);
        self.0.own.note(events);
        metrics::counter!("cache_invalidations_total", "source" => "commit").increment(1);
        Ok(())
    }

    /// What is kept ends with the process.
    async fn resume(&self, last: u64) -> u64 {
        last
    }

    async fn resumed(&self) {}

    async fn follow(&self, events: &[Numbered]) {
        for event in events.iter().map(|shown| &shown.event).filter(|event| !self.0.own.take(event.id)) {
            let tags = tags(event);
            if !tags.is_empty() {
                self.0.ages.grow(&tags);
                metrics::counter!("cache_invalidations_total", "source" => "log").increment(1);
            }
        }
    }
}

#[cfg(test)]
mod tests;
