//! Somebody we call.

use std::{sync::Arc, time::Duration};

use domain::{
    clock::{Clock, Entropy, Timestamp},
    deadline,
};

use super::{
    Terms, backoff,
    breaker::{Breaker, Stand},
    budget::Budget,
    bulkhead::Bulkhead,
    meter::Meter,
    pace::{self, Pace},
};

/// How an attempt ended, for whoever decides on the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It was answered, whatever the answer is.
    Answered,
    /// It failed, and another may not: no answer in time, an answer that broke off, a fault over there.
    Failed,
    /// It failed before anything was sent.
    Unsent,
    /// It was too much for the other side, which may have said when to come again. `failed` when that stands for a fault too.
    TooMuch {
        /// After how long.
        after: Option<Duration>,
        /// Whether it was no answer to what was asked.
        failed: bool,
    },
    /// The fault is ours, and says nothing of the other side.
    Ours,
}

/// Which calls may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// All: done twice, they do what they do once.
    Always,
    /// Those of which nothing was sent.
    Unsent,
}

/// Why no call was made, or none went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too many of the last ones failed; after this time one is made again.
    #[error("it failed too often and is left alone for a while")]
    Open(Duration),
    /// Too many are under way.
    #[error("too many calls to it are under way")]
    Full,
    /// It wants to be called less often; after this time again.
    #[error("it asked to be called less often")]
    TooMuch(Duration),
    /// It took longer than this.
    #[error("it took longer than {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// Nobody waits for it any more.
    #[error("nobody waits for it any more")]
    Late,
}

impl Refused {
    fn word(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Full => "full",
            Self::TooMuch(_) => "too_much",
            Self::TimedOut(_) | Self::Late => "late",
        }
    }
}

/// Somebody we call. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Dependency(Arc<Inner>);

struct Inner {
    name: String,
    terms: Terms,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    breaker: Breaker,
    bulkhead: Bulkhead,
    budget: Budget,
    pace: Pace,
    meter: Meter,
}

impl std::fmt::Debug for Dependency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dependency").field("name", &self.0.name).field("terms", &self.0.terms).finish_non_exhaustive()
    }
}

impl Dependency {
    /// Somebody of this name, who is called on these terms.
    pub fn new(name: &str, terms: Terms, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self(Arc::new(Inner {
            name: name.to_owned(),
            terms,
            clock,
            entropy,
            breaker: Breaker::new(terms.breaker),
            bulkhead: Bulkhead::new(terms.at_once, terms.waiting),
            budget: Budget::new(),
            pace: Pace::default(),
            meter: Meter::of(name),
        }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether calls are made; after a while without any nobody knows better.
    pub fn is_well(&self) -> bool {
        let stand = self.0.breaker.stand(self.0.clock.now());
        self.0.meter.stands(stand);
        stand != Stand::Open
    }

    /// Makes a call, and again where that may help. An attempt is told how long it may take, and is dropped when that is over
    /// or whoever waits goes away; it gives what it brought, and how it ended.
    ///
    /// # Errors
    /// Why none was made, or none went on for long enough.
    pub async fn call<T, F>(&self, repeat: Repeat, mut attempt: impl FnMut(Duration) -> F) -> Result<T, Refused>
    where
        F: Future<Output = (T, Class)>,
    {
        let Inner { terms, clock, budget, meter, .. } = &*self.0;
        let started = clock.now();
        let left = deadline::left(started).map_or(terms.timeout, |left| left.min(terms.timeout));
        let until = started + left;
        budget.called();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (brought, class) = match self.once(until, &mut attempt).await {
                Ok(ended) => ended,
                Err(refused) => {
                    meter.shed(refused.word());
                    return Err(refused);
                }
            };
            let Some(pause) = self.again(class, repeat, attempts, until) else { return Ok(brought) };
            meter.retried();
            clock.sleep(pause).await;
        }
    }

    /// One attempt, when it may be made.
    async fn once<T, F>(&self, until: Timestamp, attempt: &mut impl FnMut(Duration) -> F) -> Result<(T, Class), Refused>
    where
        F: Future<Output = (T, Class)>,
    {
        let Inner { terms, clock, breaker, bulkhead, meter, pace, .. } = &*self.0;
        // Nobody stands in line for what is not called.
        if let Some(after) = breaker.refuses(clock.now()) {
            return Err(Refused::Open(after));
        }
        let wait = terms.wait.min(time_left(until, clock.now())?);
        let wait = pace.take(clock.now(), wait).map_err(Refused::TooMuch)?;
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
        let wait = terms.wait.min(time_left(until, clock.now())?);
        let _place = bulkhead.enter(wait, &**clock).await.ok_or(Refused::Full)?;
        let begun = clock.now();
        let left = time_left(until, begun)?;
        let pass = breaker.enter(begun).map_err(Refused::Open)?;
        let _counted = meter.begun();
        let ended = tokio::select! {
            biased;
            ended = attempt(left) => Some(ended),
            () = clock.sleep(left) => None,
        };
        let now = clock.now();
        let took = (now - begun).to_std().unwrap_or_default();
        let class = ended.as_ref().map_or(Class::Failed, |(_, class)| *class);
        let outcome = match class {
            Class::Answered => {
                pace.well();
                pass.tell(true, now);
                "answered"
            }
            Class::Failed | Class::Unsent => {
                pass.tell(false, now);
                "failed"
            }
            Class::TooMuch { after, failed } => {
                pace.too_much(after, now);
                pass.tell(!failed, now);
                "too_much"
            }
            // Dropped without a word.
            Class::Ours => "ours",
        };
        meter.ended(outcome, took);
        meter.stands(breaker.stand(now));
        ended.ok_or(Refused::TimedOut(left))
    }

    /// After which pause to try again, if at all.
    fn again(&self, class: Class, repeat: Repeat, attempts: u32, until: Timestamp) -> Option<Duration> {
        let Inner { terms, clock, entropy, budget, .. } = &*self.0;
        let (may, at_least) = match class {
            Class::Unsent => (true, Duration::ZERO),
            Class::Failed => (repeat == Repeat::Always, Duration::ZERO),
            // It was not done, or it would not have been too much.
            Class::TooMuch { after, .. } => (true, after.unwrap_or(pace::USUAL)),
            Class::Answered | Class::Ours => (false, Duration::ZERO),
        };
        if !may || attempts >= terms.attempts {
            return None;
        }
        let (now, pause) = (clock.now(), backoff::pause(attempts, &**entropy).max(at_least));
        // What would come too late is not tried, and costs nobody else their turn.
        (now + pause < until && budget.take(now)).then_some(pause)
    }
}

fn time_left(until: Timestamp, now: Timestamp) -> Result<Duration, Refused> {
    (until - now).to_std().ok().filter(|left| !left.is_zero()).ok_or(Refused::Late)
}
