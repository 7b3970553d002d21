//! Entries in memory, and who makes them: what every cache of ours has in front.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    cache::{Entry, Key, Policy},
    clock::Entropy,
};

use super::flights::{Answer, Flights, Joined, Making};

/// Answers of more bytes are not kept: they would push out many others.
pub(crate) const BODY_MOST: usize = 256 * 1024;

/// What an entry shows: every change up to some moment.
pub(crate) trait Mark: Clone + Send + Sync + 'static {
    /// Whether what shows this shows all that `asked` shows.
    fn covers(&self, asked: &Self) -> bool;
    /// Whether its making began before that of `other`.
    fn is_before(&self, other: &Self) -> bool;
}

/// Entries with what they show. Clones share them.
#[derive(Clone)]
pub(crate) struct Memory<M> {
    entries: Room<M>,
    flights: Flights<M>,
    entropy: Arc<dyn Entropy>,
}

type Room<M> = moka::sync::Cache<Arc<str>, Arc<Kept<M>>>;

/// An entry with what decides whether it may be served.
struct Kept<M> {
    entry: Arc<Entry>,
    mark: M,
    fresh_until: Instant,
    stale_until: Instant,
}

/// For how long an entry is served from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    /// As it is.
    pub(crate) fresh: Duration,
    /// After that, while somebody makes it anew.
    pub(crate) stale: Duration,
}

/// What a look into memory gave.
pub(crate) enum Found<M: Mark> {
    /// It is there.
    Fresh(Arc<Entry>),
    /// It is there, old by time, and nobody makes it anew.
    Stale(Arc<Entry>, Making<M>),
    /// It is not there, and nobody makes it.
    Nothing(Making<M>),
    /// Somebody makes it.
    Wait(Answer),
}

impl<M: Mark> Memory<M> {
    /// Room for so many entries, none of which is kept longer than `longest`.
    pub(crate) fn new(entries: u64, longest: Duration, entropy: Arc<dyn Entropy>) -> Self {
        let entries = moka::sync::Cache::builder().max_capacity(entries).time_to_live(longest).build();
        Self { entries, flights: Flights::default(), entropy }
    }

    pub(crate) fn count(&self) -> u64 {
        self.entries.entry_count()
    }

    /// Looks for what shows all that `asked` shows. What `present` gives, the making of what is missing will show.
    pub(crate) fn find(&self, key: &Key, asked: &M, now: Instant, present: impl Fn() -> M) -> Found<M> {
        if let Some(kept) = self.kept(key, asked) {
            if now < kept.fresh_until {
                return Found::Fresh(Arc::clone(&kept.entry));
            }
            if now < kept.stale_until {
                let entry = Arc::clone(&kept.entry);
                return match self.flights.begin(&key.text, asked, present) {
                    Joined::Lead(making) => Found::Stale(entry, making),
                    Joined::Follow(_) => Found::Fresh(entry),
                };
            }
        }
        match self.flights.begin(&key.text, asked, present) {
            // Whoever made it before may have ended between the two looks: it is kept before its making ends.
            Joined::Lead(making) => match self.kept(key, asked).filter(|kept| now < kept.fresh_until) {
                Some(kept) => Found::Fresh(Arc::clone(&kept.entry)),
                None => Found::Nothing(making),
            },
            Joined::Follow(answer) => Found::Wait(answer),
        }
    }

    /// What shows all that `asked` shows, and is not old by time.
    pub(crate) fn fresh(&self, key: &Key, asked: &M, now: Instant) -> Option<Arc<Entry>> {
        self.kept(key, asked).filter(|kept| now < kept.fresh_until).map(|kept| Arc::clone(&kept.entry))
    }

    /// How long an entry of today lives, when it is one to be kept.
    pub(crate) fn life(&self, entry: &Entry, policy: Policy) -> Option<Life> {
        let (fresh, fits) = match entry {
            Entry::Present { body, .. } => (policy.fresh, body.len() <= BODY_MOST),
            Entry::Absent => (policy.absent, true),
        };
        fits.then(|| Life { fresh: self.shortened(fresh), stale: policy.stale })
    }

    /// Keeps what shows this, unless something younger is kept.
    pub(crate) fn keep(&self, key: &Key, entry: &Arc<Entry>, mark: &M, life: Life) {
        if self.entries.get(&key.text).is_some_and(|kept| mark.is_before(&kept.mark)) {
            return;
        }
        let fresh_until = Instant::now() + life.fresh;
        let stale_until = fresh_until + life.stale;
        let kept = Kept { entry: Arc::clone(entry), mark: mark.clone(), fresh_until, stale_until };
        self.entries.insert(Arc::clone(&key.text), Arc::new(kept));
    }

    fn kept(&self, key: &Key, asked: &M) -> Option<Arc<Kept<M>>> {
        self.entries.get(&key.text).filter(|kept| kept.mark.covers(asked))
    }

    /// Up to a tenth less, so that entries made together do not end together.
    pub(super) fn shortened(&self, life: Duration) -> Duration {
        let mut byte = [0];
        self.entropy.fill(&mut byte);
        life.saturating_sub(life * u32::from(byte[0]) / 2560)
    }
}
