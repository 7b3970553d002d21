//! The cache that all nodes over one Redis share: entries in the memory of each, the same entries in Redis behind it, and
//! in Redis what tells whether they are old.
//!
//! A look asks Redis for the tokens of what the entry depends on (`check.rs`), so it sees every change that was acknowledged
//! anywhere before it began. That holds while Redis remembers, and every writer reaches it; what when not is agreed upon in the
//! database (`known.rs`, `keeper.rs`).

mod check;
mod keeper;
mod kept;
mod known;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ::redis::Value;
use async_trait::async_trait;
use domain::{
    Error, Result,
    cache::{Cache, Entry, Epochs, Key, Lead, Looked, Policy, Tag, tags},
    clock::{Clock, Entropy},
    event::Event,
    id::EventId,
    relay::Numbered,
};
use tokio::{
    sync::{Mutex as AsyncMutex, Notify, mpsc, watch},
    time::{sleep, timeout},
};

use self::{
    check::{Checks, Tokens},
    known::Known,
};
use super::Redis;
use crate::cache::{Counts, Found, Life, Making, Memory, Own, WAITS};

/// For how long it is remembered in Redis that an event made old what it tells of: longer than the log is behind.
const TOLD: u64 = 3600;
/// How long a write may wait until it is sure that nobody reads what was before it.
const PATIENCE: Duration = Duration::from_secs(10);
/// After so long a write asks that nobody serves, whatever Redis answered.
const LONG_WAIT: Duration = Duration::from_secs(2);
/// How often a write that waits looks again.
const PACE: Duration = Duration::from_millis(50);
/// For how long it is remembered how far the log was followed: longer than anything is kept.
const FOLLOWED: u64 = 86_400;
/// When more than so many events passed since, a node that starts begins an epoch rather than look after each.
const BEHIND_MOST: u64 = 5_000;
/// How long a node that starts waits for Redis.
const START: Duration = Duration::from_secs(2);
/// Entries that wait to be stored in Redis; what comes when there are more is not stored.
const WAITING: usize = 1024;
/// Most entries stored at once.
const BATCH: usize = 32;

/// A cache in two tiers. Clones share it.
#[derive(Clone)]
pub struct RedisCache(Arc<Shared>);

struct Shared {
    redis: Redis,
    epochs: Arc<dyn Epochs>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    memory: Memory<Tokens>,
    own: Own,
    checks: Checks,
    known: watch::Sender<Known>,
    /// Wakes the keeper.
    poke: Notify,
    /// When a write could not say in Redis what it made old.
    unsaid: Mutex<Option<Instant>>,
    /// How often events may have passed that nobody followed, and how often of them an epoch has begun since.
    missed: AtomicU64,
    made_up_for: AtomicU64,
    /// What passed before this node began is seen to.
    resumed: AtomicBool,
    stores: mpsc::Sender<Stored>,
    /// Locked for as long as the cache is kept.
    waiting: AsyncMutex<mpsc::Receiver<Stored>>,
    in_memory: Counts,
    in_redis: Counts,
}

/// An entry on its way to Redis.
struct Stored {
    name: String,
    bytes: Vec<u8>,
    life: Duration,
}

impl std::fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisCache").field("entries", &self.0.memory.count()).finish_non_exhaustive()
    }
}

impl RedisCache {
    /// A cache with room for so many entries in memory, none of which is kept there longer than `longest`. It serves nothing,
    /// and no write is sure, before [`RedisCache::keep`] runs.
    pub fn new(
        redis: Redis,
        epochs: Arc<dyn Epochs>,
        (entries, longest): (u64, Duration),
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let (stores, waiting) = mpsc::channel(WAITING);
        let memory = Memory::new(entries, longest, Arc::clone(&entropy));
        Self(Arc::new(Shared {
            redis,
            epochs,
            clock,
            entropy,
            memory,
            own: Own::default(),
            checks: Checks::default(),
            known: watch::Sender::default(),
            poke: Notify::new(),
            unsaid: Mutex::default(),
            missed: AtomicU64::new(0),
            made_up_for: AtomicU64::new(0),
            resumed: AtomicBool::new(false),
            stores,
            waiting: AsyncMutex::new(waiting),
            in_memory: Counts::of("memory"),
            in_redis: Counts::of("redis"),
        }))
    }

    /// Keeps the cache for as long as it is not dropped. It MUST run on a runtime that outlives all looks and writes.
    pub async fn keep(&self) {
        let shared = &*self.0;
        let trusted = || shared.known.borrow().trusted(Instant::now());
        tokio::select! {
            () = self.0.keep_known() => {}
            () = shared.checks.answer(&shared.redis, &*shared.entropy, trusted) => {}
            () = shared.store() => {}
        }
    }

    /// Looks into Redis for what is not in memory, or old there by time.
    async fn behind(&self, key: &Key, policy: Policy, making: Making<Tokens>, old: Option<Arc<Entry>>) -> Looked {
        let shared = &self.0;
        let found = shared.fetch(&key.text, making.mark()).await;
        let old = match found {
            Some((entry, left)) => {
                let entry = Arc::new(entry);
                match shared.memory.life(&entry, policy) {
                    Some(new) if !left.is_zero() => {
                        shared.in_redis.hit.increment(1);
                        shared.memory.keep(key, &entry, making.mark(), kept::life(left, new));
                        making.done(Arc::clone(&entry));
                        return Looked::Hit(entry);
                    }
                    _ => Some(entry),
                }
            }
            None => old,
        };
        let lead = self.lead(key, policy, making);
        let looked = match old {
            Some(entry) => Looked::Stale(entry, lead),
            None => Looked::Miss(lead),
        };
        shared.in_redis.note(&looked);
        looked
    }

    fn lead(&self, key: &Key, policy: Policy, making: Making<Tokens>) -> Lead {
        let (shared, key) = (Arc::clone(&self.0), key.clone());
        Lead::new(move |entry| {
            if let Some(life) = shared.memory.life(&entry, policy) {
                shared.memory.keep(&key, &entry, making.mark(), life);
                shared.store_soon(&key.text, making.mark(), &entry, life);
            }
            making.done(entry);
        })
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn look(&self, key: &Key, policy: Policy) -> Looked {
        let shared = &self.0;
        for _ in 0..=WAITS {
            let now = Instant::now();
            let Some(asked) = shared.asked(key, now).await else { break };
            let (making, old) = match shared.memory.find(key, &asked, now, || asked.clone()) {
                Found::Fresh(entry) => {
                    shared.in_memory.hit.increment(1);
                    return Looked::Hit(entry);
                }
                Found::Wait(answer) => match answer.await_it().await {
                    Some(entry) => {
                        shared.in_memory.shared.increment(1);
                        return Looked::Hit(entry);
                    }
                    None => continue,
                },
                Found::Stale(entry, making) => {
                    shared.in_memory.stale.increment(1);
                    (making, Some(entry))
                }
                Found::Nothing(making) => {
                    shared.in_memory.miss.increment(1);
                    (making, None)
                }
            };
            return self.behind(key, policy, making, old).await;
        }
        shared.in_memory.bypass.increment(1);
        Looked::Bypass
    }

    async fn glance(&self, key: &Key) -> Option<Arc<Entry>> {
        let (shared, now) = (&self.0, Instant::now());
        let asked = shared.asked(key, now).await?;
        let entry = shared.memory.fresh(key, &asked, now)?;
        shared.in_memory.hit.increment(1);
        Some(entry)
    }

    async fn invalidate(&self, tags: &[Tag], events: &[EventId]) -> Result<()> {
        let shared = &self.0;
        metrics::counter!("cache_invalidations_total", "source" => "commit").increment(1);
        if timeout(PATIENCE, shared.make_old(tags, events)).await.is_ok() {
            return Ok(());
        }
        // The log may have shown it already.
        shared.miss();
        metrics::counter!("cache_unsure_total").increment(1);
        Err(Error::Unavailable {
            what: "Cache",
            source: "it could not be made sure that nobody reads what was before".into(),
        })
    }

    async fn resume(&self, last: u64) -> u64 {
        let shared = &self.0;
        let _ = timeout(START, shared.redis.tried()).await;
        let followed: Option<u64> =
            shared.redis.call(::redis::cmd("GET").arg(shared.followed_name())).await.ok().flatten();
        match followed {
            Some(followed) if followed <= last && last - followed <= BEHIND_MOST => followed,
            // Nobody knows what passed, or the log is another one.
            _ => {
                shared.miss();
                last
            }
        }
    }

    async fn resumed(&self) {
        self.0.resumed.store(true, Ordering::SeqCst);
        self.0.poke.notify_one();
    }

    async fn follow(&self, events: &[Numbered]) {
        let shared = &self.0;
        let Some(last) = events.last() else { return };
        let others: Vec<(&Event, Vec<Tag>)> = events
            .iter()
            .map(|shown| &shown.event)
            .filter(|event| !shared.own.take(event.id))
            .map(|event| (event, tags(event)))
            .filter(|(_, tags)| !tags.is_empty())
            .collect();
        if others.is_empty() || shared.see_to(&others).await.is_some() {
            shared.note_followed(last.seq);
        } else {
            shared.miss();
        }
    }
}

impl Shared {
    /// What an entry has to show that is served now; `None` while nothing may be.
    async fn asked(&self, key: &Key, now: Instant) -> Option<Tokens> {
        if !self.resumed.load(Ordering::SeqCst) || self.known.borrow().trusted(now).is_none() {
            return None;
        }
        self.checks.tokens(&key.tags).await
    }

    /// Makes tags old and returns when nobody reads, from then on, what was before.
    async fn make_old(&self, tags: &[Tag], events: &[EventId]) {
        let mut known = self.known.subscribe();
        loop {
            let on = self.forget(tags, events).await;
            if on.is_some() {
                // Should this be dropped now, the log need not say it again.
                self.own.note(events);
            }
            if on.is_none() || known.borrow().link().is_none() {
                self.note_unsaid();
            }
            if self.sure(on, &mut known).await {
                return;
            }
        }
    }

    /// Waits until it is sure that what was said on this connection, or could not be said, is heeded by all; false when it must
    /// be said again.
    async fn sure(&self, said: Option<u64>, known: &mut watch::Receiver<Known>) -> bool {
        let (began, mut waited) = (Instant::now(), false);
        loop {
            let (now, present) = (Instant::now(), *known.borrow_and_update());
            if present.is_quiet(now) {
                return true;
            }
            match (said, present.trusted(now)) {
                // Whoever serves, serves in this epoch and asks the server that was told, or will begin later.
                (Some(said), Some(trusted)) if trusted.generation == said => return true,
                (Some(said), _) if self.redis.generation() != Some(said) => return false,
                (None, Some(_)) if waited => return false,
                // Epochs come and go faster than they can be trusted.
                _ if began.elapsed() > LONG_WAIT => self.note_unsaid(),
                _ => (),
            }
            self.poke.notify_one();
            waited = true;
            tokio::select! {
                _ = known.changed() => {}
                () = sleep(PACE) => {}
            }
        }
    }

    /// Events may have passed that nobody followed: an epoch has to begin.
    fn miss(&self) {
        self.missed.fetch_add(1, Ordering::SeqCst);
        self.poke.notify_one();
    }

    /// Asks the keeper that nobody serves for a while.
    fn note_unsaid(&self) {
        *self.unsaid.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Removes the tokens of tags and notes whose doing it was; gives the connection that did.
    async fn forget(&self, tags: &[Tag], events: &[EventId]) -> Option<u64> {
        let generation = self.redis.generation()?;
        let mut commands = ::redis::pipe();
        let remove = commands.cmd("DEL");
        for tag in tags {
            remove.arg(tag_name(&self.redis, *tag));
        }
        remove.ignore();
        // After that: who finds this relies on it.
        for event in events {
            commands.cmd("SET").arg(self.told_name(*event)).arg(1).arg("EX").arg(TOLD).ignore();
        }
        self.redis.call_all_on::<()>(generation, &commands).await.ok().map(|()| generation)
    }

    /// Makes old what these tell of, where nobody did; `None` when that could not be done.
    async fn see_to(&self, events: &[(&Event, Vec<Tag>)]) -> Option<()> {
        let (events, tags) = self.untold(events).await?;
        if !events.is_empty() {
            metrics::counter!("cache_invalidations_total", "source" => "log").increment(1);
            self.forget(&tags, &events).await?;
        }
        Some(())
    }

    /// Notes in Redis how far the log was followed: for nodes that start, should all others end. Not while something before
    /// that is still to be seen to.
    fn note_followed(&self, seq: u64) {
        let made_up = self.missed.load(Ordering::SeqCst) == self.made_up_for.load(Ordering::SeqCst);
        let whole = made_up && self.known.borrow().trusted(Instant::now()).is_some();
        if whole {
            let life = Duration::from_secs(FOLLOWED);
            let _ = self.stores.try_send(Stored { name: self.followed_name(), bytes: seq.to_string().into(), life });
        }
    }

    /// Those events that nobody made the cache old for, and what they make old; `None` when Redis cannot say.
    async fn untold(&self, events: &[(&Event, Vec<Tag>)]) -> Option<(Vec<EventId>, Vec<Tag>)> {
        let mut command = ::redis::cmd("MGET");
        for (event, _) in events {
            command.arg(self.told_name(event.id));
        }
        let told: Vec<Value> = self.redis.call(&command).await.ok()?;
        let untold = events.iter().zip(told).filter(|(_, told)| *told == Value::Nil).map(|(event, _)| event);
        let (mut ids, mut tags) = (Vec::new(), HashSet::new());
        for (event, its) in untold {
            ids.push(event.id);
            tags.extend(its);
        }
        Some((ids, tags.into_iter().collect()))
    }

    async fn fetch(&self, text: &str, tokens: &Tokens) -> Option<(Entry, Duration)> {
        let found: Option<Vec<u8>> =
            self.redis.call(::redis::cmd("GET").arg(self.entry_name(text, tokens))).await.ok()?;
        kept::read(&found?, &tokens.each, self.clock.now())
    }

    fn store_soon(&self, text: &str, tokens: &Tokens, entry: &Entry, life: Life) {
        let Some(bytes) = kept::write(entry, &tokens.each, self.clock.now() + life.fresh) else { return };
        let stored = Stored { name: self.entry_name(text, tokens), bytes, life: life.fresh + life.stale };
        if self.stores.try_send(stored).is_err() {
            metrics::counter!("cache_stores_dropped_total").increment(1);
        }
    }

    /// Stores what is to be stored, for ever. What Redis does not take is not stored.
    async fn store(&self) {
        let mut waiting = self.waiting.lock().await;
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let mut commands = ::redis::pipe();
            for Stored { name, bytes, life } in batch.drain(..) {
                let millis = u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1);
                commands.cmd("SET").arg(name).arg(bytes).arg("PX").arg(millis).ignore();
            }
            let _ = self.redis.call_all::<()>(&commands).await;
        }
    }

    /// Another version of Souk may answer in another form.
    fn entry_name(&self, text: &str, tokens: &Tokens) -> String {
        self.redis.name(&format!("cache:entry:{}:{}:{text}", env!("CARGO_PKG_VERSION"), tokens.epoch))
    }

    fn followed_name(&self) -> String {
        self.redis.name("cache:followed")
    }

    fn told_name(&self, event: EventId) -> String {
        self.redis.name(&format!("cache:told:{event}"))
    }
}

fn tag_name(redis: &Redis, tag: Tag) -> String {
    redis.name(&format!("cache:tag:{tag}"))
}
