//! The cache of one process: entries in memory, each as old as the youngest change of what it belongs to.

mod ages;
mod flights;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use ages::Ages;
use async_trait::async_trait;
use domain::{
    cache::{Cache, Entry, Key, Lead, Looked, Policy, Tag, tags},
    clock::Entropy,
    event::Event,
    id::EventId,
};
use flights::{Flights, Joined};

/// Answers of more bytes are not kept: they would push out many others.
const BODY_MOST: usize = 256 * 1024;
/// Events of this process that the log has not shown yet; more than this are forgotten, and made old twice.
const PENDING_MOST: usize = 100_000;
/// How often somebody waits for another's answer that never comes, before they ask the source themselves.
const WAITS: u32 = 2;

/// A cache in memory. Clones share it.
#[derive(Clone)]
pub struct LocalCache(Arc<Shared>);

struct Shared {
    entries: moka::sync::Cache<Arc<str>, Arc<Kept>>,
    ages: Ages,
    flights: Flights,
    /// Events this process made the cache old for, until the log shows them.
    pending: Mutex<HashSet<EventId>>,
    entropy: Arc<dyn Entropy>,
}

/// An entry with what decides whether it may be served.
struct Kept {
    entry: Arc<Entry>,
    /// The age at which its making began.
    age: u64,
    fresh_until: Instant,
    stale_until: Instant,
}

impl std::fmt::Debug for LocalCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalCache").field("entries", &self.0.entries.entry_count()).finish_non_exhaustive()
    }
}

impl LocalCache {
    /// A cache of so many entries, none of which is kept longer than `longest`.
    pub fn new(entries: u64, longest: Duration, entropy: Arc<dyn Entropy>) -> Self {
        let entries = moka::sync::Cache::builder().max_capacity(entries).time_to_live(longest).build();
        let (ages, flights, pending) = (Ages::default(), Flights::default(), Mutex::default());
        Self(Arc::new(Shared { entries, ages, flights, pending, entropy }))
    }

    fn look_at(&self, key: &Key, policy: Policy, now: Instant) -> Step {
        // Before the entry: what is made old after this was not acknowledged when the look began.
        let age = self.0.ages.of(&key.tags);
        if let Some(kept) = self.kept(key, age) {
            if now < kept.fresh_until {
                return Step::Done(Looked::Hit(Arc::clone(&kept.entry)));
            }
            if now < kept.stale_until {
                return Step::Done(match self.0.flights.begin(&key.text, age, || self.0.ages.now()) {
                    Joined::Lead(making) => Looked::Stale(Arc::clone(&kept.entry), self.lead(key, policy, making)),
                    Joined::Follow(_) => Looked::Hit(Arc::clone(&kept.entry)),
                });
            }
        }
        match self.0.flights.begin(&key.text, age, || self.0.ages.now()) {
            // Whoever made it before may have ended between the two looks: it is kept before its making ends.
            Joined::Lead(making) => Step::Done(match self.kept(key, age).filter(|kept| now < kept.fresh_until) {
                Some(kept) => Looked::Hit(Arc::clone(&kept.entry)),
                None => Looked::Miss(self.lead(key, policy, making)),
            }),
            Joined::Follow(answer) => Step::Wait(answer),
        }
    }

    /// What is kept and shows every change up to this age.
    fn kept(&self, key: &Key, age: u64) -> Option<Arc<Kept>> {
        self.0.entries.get(&key.text).filter(|kept| kept.age >= age)
    }

    fn lead(&self, key: &Key, policy: Policy, making: flights::Making) -> Lead {
        let (shared, text) = (Arc::clone(&self.0), Arc::clone(&key.text));
        Lead::new(move |entry| {
            let life = match *entry {
                Entry::Present { .. } => policy.fresh,
                Entry::Absent => policy.absent,
            };
            let fresh_until = Instant::now() + shared.shortened(life);
            let age = making.age();
            let fits = match &*entry {
                Entry::Present { body, .. } => body.len() <= BODY_MOST,
                Entry::Absent => true,
            };
            // Whoever began later knows more.
            if fits && shared.entries.get(&text).is_none_or(|kept| kept.age <= age) {
                let stale_until = fresh_until + policy.stale;
                let kept = Kept { entry: Arc::clone(&entry), age, fresh_until, stale_until };
                shared.entries.insert(text, Arc::new(kept));
            }
            making.done(entry);
        })
    }
}

impl Shared {
    /// Up to a tenth less, so that entries made together do not end together.
    fn shortened(&self, life: Duration) -> Duration {
        let mut byte = [0];
        self.entropy.fill(&mut byte);
        life.saturating_sub(life * u32::from(byte[0]) / 2560)
    }
}

enum Step {
    Done(Looked),
    Wait(flights::Answer),
}

fn count(outcome: &'static str) {
    metrics::counter!("cache_lookups_total", "tier" => "memory", "outcome" => outcome).increment(1);
}

#[async_trait]
impl Cache for LocalCache {
    async fn look(&self, key: &Key, policy: Policy) -> Looked {
        for _ in 0..=WAITS {
            match self.look_at(key, policy, Instant::now()) {
                Step::Done(looked) => {
                    count(match looked {
                        Looked::Hit(_) => "hit",
                        Looked::Stale(..) => "stale",
                        _ => "miss",
                    });
                    return looked;
                }
                Step::Wait(answer) => {
                    if let Some(entry) = answer.await_it().await {
                        count("shared");
                        return Looked::Hit(entry);
                    }
                }
            }
        }
        count("bypass");
        Looked::Bypass
    }

    async fn invalidate(&self, tags: &[Tag], events: &[EventId]) {
        self.0.ages.grow(tags);
        let mut pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() + events.len() > PENDING_MOST {
            pending.clear();
        }
        pending.extend(events);
        metrics::counter!("cache_invalidations_total", "source" => "commit").increment(1);
    }

    async fn follow(&self, event: &Event) {
        if self.0.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(&event.id) {
            return;
        }
        let tags = tags(event);
        if !tags.is_empty() {
            self.0.ages.grow(&tags);
            metrics::counter!("cache_invalidations_total", "source" => "log").increment(1);
        }
    }
}

#[cfg(test)]
mod tests;
