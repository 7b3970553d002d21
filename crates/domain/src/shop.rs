//! The shop: what every use case needs, and the one way a use case writes.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use crate::{
    assets::AssetRules,
    audit::AuditEntry,
    behalf,
    clock::{Clock, Entropy, Timestamp},
    error::{Error, Result},
    event::{Change, Event, Fact, Trace},
    id::{AuditId, EventId, UserId, time_sorted},
    idempotency::{self, Claim, Key, Once, Outcome, Reply},
    meter::Meter,
    money::Currency,
    store::{Store, Tx},
};

/// How often a whole transaction is tried before its [`Error::Transient`] reaches the caller.
const ATTEMPTS: u32 = 4;
/// The pause before the second attempt; it doubles with each further one and is jittered by half.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How often the answer to a refused command is tried to be kept while its key is held.
const REMEMBERING: u32 = 10;

/// The rules an operator may set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The one currency prices are in (ruling R30).
    pub currency: Currency,
    /// Fewest characters of a product's name.
    pub name_min: usize,
    /// Most characters of a product's name.
    pub name_max: usize,
    /// How long the answer under an idempotency key is kept.
    pub keep_keys: Duration,
    /// Files and pictures.
    pub assets: AssetRules,
    /// What stands before the addresses of uploaded pictures: the origin of the shop or of a CDN before it, or nothing.
    pub media_url: String,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            currency: Currency::EUR,
            name_min: 3,
            name_max: 100,
            keep_keys: Duration::from_hours(24),
            assets: AssetRules::default(),
            media_url: String::new(),
        }
    }
}

/// What every use case needs. Cheap to clone.
#[derive(Clone)]
pub struct Shop {
    /// Where transactions begin.
    pub store: Arc<dyn Store>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// What operators count.
    pub meter: Arc<dyn Meter>,
    /// The operator's rules.
    pub rules: Rules,
}

impl std::fmt::Debug for Shop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shop").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Shop {
    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new `UUIDv7`: the clock's milliseconds, then random bits.
    pub fn id<T: From<Uuid>>(&self) -> T {
        T::from(time_sorted(self.now(), &*self.entropy))
    }

    /// Runs one transaction: begins, does `work`, commits. The whole attempt is run again, after a jittered pause,
    /// when the database says that would help. Nothing slow belongs in `work`.
    pub async fn write<T, F>(&self, name: &'static str, work: impl Fn(Unit<'static, T>) -> F) -> Result<T>
    where
        T: 'static,
        F: Future<Output = Result<Committed<T>>>,
    {
        match self.attempt(name, None, work).await? {
            Outcome::Fresh(value) => Ok(value),
            Outcome::Replay(_) => Err(Error::internal("a command without a key cannot be a replay")),
        }
    }

    /// [`Shop::write`] for commands that may carry an idempotency key: the key is claimed before `work` and the
    /// answer is kept with its effect.
    ///
    /// # Errors
    /// Those of `work`; [`Error::InFlight`] when the key is held by another request just now;
    /// [`Error::Unprocessable`] when it was used for a different request.
    pub async fn write_once<'a, T, F>(
        &self,
        name: &'static str,
        once: &'a Once<'a, T>,
        work: impl Fn(Unit<'a, T>) -> F,
    ) -> Result<Outcome<T>>
    where
        F: Future<Output = Result<Committed<T>>>,
    {
        self.attempt(name, Some(once), work).await
    }

    /// Keeps the answer to a command that was refused after its input was found valid, so that a repetition is refused
    /// in the same words (ruling R17). Keeps nothing when the key has an answer already, or is held by another request.
    pub async fn remember(&self, key: &Key, reply: &Reply) -> Result<()> {
        for _ in 0..REMEMBERING {
            let mut tx = self.store.begin().await?;
            let now = self.now();
            match tx.keys().claim(key, now - self.rules.keep_keys).await? {
                Claim::Fresh => {
                    tx.keys().keep(key, reply, now).await?;
                    return tx.commit().await;
                }
                // The refused transaction may be rolling back still, and hold the key until it has.
                Claim::InFlight => {
                    tx.rollback().await?;
                    self.clock.sleep(FIRST_PAUSE / 10).await;
                }
                Claim::Replay(_) | Claim::Mismatch => return tx.rollback().await,
            }
        }
        Ok(())
    }

    async fn attempt<'a, T, F>(
        &self,
        name: &'static str,
        once: Option<&'a Once<'a, T>>,
        work: impl Fn(Unit<'a, T>) -> F,
    ) -> Result<Outcome<T>>
    where
        F: Future<Output = Result<Committed<T>>>,
    {
        let mut attempt = 1;
        loop {
            let outcome = match self.open(once).await {
                Ok(Opened::Replay(reply)) => Ok(Outcome::Replay(reply)),
                Ok(Opened::Fresh(unit)) => work(unit).await.map(|done| Outcome::Fresh(done.0)),
                Err(error) => Err(error),
            };
            match outcome {
                Err(Error::Transient(cause)) if attempt < ATTEMPTS => {
                    tracing::warn!(use_case = name, attempt, %cause, "transaction runs again");
                    self.meter.transaction_retried(name);
                    self.clock.sleep(self.pause(attempt)).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// Writes the audit row and the event of one change into the transaction of the change. Both bear the same id, so
    /// that the relay chains the one when it numbers the other.
    ///
    /// # Errors
    /// [`Error::Internal`] for an event the relay would set aside: the use case that tells it is wrong.
    pub async fn record(&self, tx: &mut dyn Tx, actor: Option<UserId>, change: Change) -> Result<()> {
        let Trace { entry, event } = self.trace(actor, change)?;
        tx.audit().append(entry).await?;
        tx.outbox().append(event).await
    }

    /// What [`Shop::record`] writes, for the few changes that go past the use cases' transactions.
    ///
    /// # Errors
    /// Those of [`Shop::record`].
    pub fn trace(&self, actor: Option<UserId>, change: Change) -> Result<Trace> {
        let at = self.now();
        let id: Uuid = self.id();
        let entry = AuditEntry {
            id: AuditId(id),
            actor,
            impersonator: behalf::acting().filter(|by| actor != Some(*by)),
            action: change.action.to_owned(),
            entity: change.entity.clone(),
            metadata: change.metadata,
            at,
        };
        let event = Event {
            id: EventId(id),
            kind: change.event.to_owned(),
            entity: change.entity,
            actor,
            at,
            payload: change.payload,
        };
        Fact::of(&event).map_err(Error::internal)?;
        Ok(Trace { entry, event })
    }

    async fn open<'a, T>(&self, once: Option<&'a Once<'a, T>>) -> Result<Opened<'a, T>> {
        let mut tx = self.store.begin().await?;
        let now = self.now();
        if let Some(key) = once.and_then(|once| once.key.as_ref()) {
            let since = now - self.rules.keep_keys;
            let refusal = match tx.keys().claim(key, since).await? {
                Claim::Fresh => return Ok(Opened::Fresh(Unit { tx, now, once })),
                Claim::Replay(reply) => Ok(Opened::Replay(reply)),
                Claim::Mismatch => Err(idempotency::used_before()),
                Claim::InFlight => Err(Error::InFlight),
            };
            tx.rollback().await?;
            return refusal;
        }
        Ok(Opened::Fresh(Unit { tx, now, once }))
    }

    fn pause(&self, attempt: u32) -> Duration {
        let mut byte = [0];
        self.entropy.fill(&mut byte);
        let base = FIRST_PAUSE * 2u32.saturating_pow(attempt - 1);
        base / 2 + base * u32::from(byte[0]) / 255 / 2
    }
}

enum Opened<'a, T> {
    Fresh(Unit<'a, T>),
    Replay(Reply),
}

/// A unit of work: an open transaction that knows which answer it owes. Dropping it rolls back.
pub struct Unit<'a, T> {
    tx: Box<dyn Tx>,
    now: Timestamp,
    once: Option<&'a Once<'a, T>>,
}

impl<T> std::fmt::Debug for Unit<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit").finish_non_exhaustive()
    }
}

impl<T> std::ops::Deref for Unit<'_, T> {
    type Target = dyn Tx;
    fn deref(&self) -> &Self::Target {
        self.tx.as_ref()
    }
}

impl<T> std::ops::DerefMut for Unit<'_, T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.tx.as_mut()
    }
}

/// The value of a transaction that has ended: [`Unit::commit`] and [`Unit::discard`] are its only makers, so a use
/// case cannot forget.
#[derive(Debug)]
pub struct Committed<T>(T);

impl<T> Unit<'_, T> {
    /// The moment the transaction began.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Keeps the answer under the idempotency key and commits.
    pub async fn commit(mut self, value: T) -> Result<Committed<T>> {
        if let Some(once) = self.once
            && let Some(key) = &once.key
        {
            let reply = (once.render)(&value);
            self.tx.keys().keep(key, &reply, self.now).await?;
        }
        self.tx.commit().await?;
        Ok(Committed(value))
    }

    /// Rolls back on purpose, for a trial run: the value tells what would have been.
    pub fn discard(self, value: T) -> Committed<T> {
        Committed(value)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{permission::Role, testing::Fixtures};

    #[derive(Default)]
    struct Tally(Mutex<Vec<&'static str>>);

    impl Meter for Tally {
        fn transaction_retried(&self, use_case: &'static str) {
            self.0.lock().unwrap().push(use_case);
        }
    }

    async fn lose(given: &Fixtures, tally: &Arc<Tally>, races: u32) -> Result<u32> {
        let shop = Shop { meter: Arc::<Tally>::clone(tally), ..given.shop.clone() };
        let attempt = std::sync::atomic::AtomicU32::new(0);
        let attempt = &attempt;
        shop.write("light_lamps", |mut tx| async move {
            let number = attempt.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            assert!(tx.users().insert(&given.user(Role::User), "plain$x").await?);
            if number <= races {
                // Another transaction commits in between, so that ours loses.
                given.person(Role::User).await;
            }
            tx.commit(number).await
        })
        .await
    }

    #[tokio::test]
    async fn every_attempt_after_the_first_is_counted_by_name() {
        let (given, _) = Fixtures::in_memory();
        let tally = Arc::new(Tally::default());
        assert_eq!(lose(&given, &tally, 0).await.unwrap(), 1);
        assert!(tally.0.lock().unwrap().is_empty());
        assert_eq!(lose(&given, &tally, 2).await.unwrap(), 3);
        assert_eq!(*tally.0.lock().unwrap(), ["light_lamps"; 2]);
    }

    #[tokio::test]
    async fn a_race_lost_every_time_is_told_after_the_last_attempt() {
        let (given, _) = Fixtures::in_memory();
        let tally = Arc::new(Tally::default());
        assert!(matches!(lose(&given, &tally, u32::MAX).await, Err(Error::Transient(_))));
        assert_eq!(tally.0.lock().unwrap().len(), 3, "four attempts are three retries");
    }
}
