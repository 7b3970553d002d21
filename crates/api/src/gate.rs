//! How many requests are worked on at once, and how many wait: whoever comes after that is told so at once, while there is still
//! time to do well by the others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::clock::Clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::routes::Found;

/// Operations that tell how this node is: whoever asks must not take being busy for being dead.
pub const ALWAYS: [&str; 3] = ["get_health", "get_ready", "metrics"];

/// How many requests are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateSettings {
    /// At once.
    pub at_once: usize,
    /// How many wait for their turn.
    pub waiting: usize,
    /// For how long one does.
    pub wait: Duration,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self { at_once: 512, waiting: 1024, wait: Duration::from_millis(500) }
    }
}

/// What all workers of a node let requests through.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: GateSettings,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// The place of a request that is worked on. Dropping it lets the next one in.
#[derive(Debug)]
pub struct Inside(#[expect(dead_code, reason = "held, not looked at")] OwnedSemaphorePermit);

/// There is no room, and too many wait already or one has waited for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overloaded;

impl Gate {
    /// A gate with nobody inside.
    pub fn new(settings: GateSettings) -> Self {
        let places = Arc::new(Semaphore::new(settings.at_once));
        Self(Arc::new(Inner { settings, places, waiting: AtomicUsize::new(0) }))
    }

    /// Lets in what is counted: not what tells how the node is, and not what brings bytes, which comes as slowly as its sender
    /// is. A stream has its place until it has begun.
    ///
    /// # Errors
    /// [`Overloaded`] when it is not let in.
    pub async fn pass(&self, found: &Found, clock: &dyn Clock) -> Result<Option<Inside>, Overloaded> {
        match found {
            Found::Operation(operation) if operation.always || operation.takes_bytes => Ok(None),
            _ => self.enter(clock).await.map(Some),
        }
    }

    /// Lets a request in, now or soon.
    ///
    /// # Errors
    /// [`Overloaded`] when it is not let in.
    pub async fn enter(&self, clock: &dyn Clock) -> Result<Inside, Overloaded> {
        let Inner { settings, places, waiting } = &*self.0;
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Ok(Inside(place));
        }
        let waiting = Waiting::of(waiting, settings.waiting);
        let Some(_counted) = waiting else { return Err(shed("full")) };
        tokio::select! {
            biased;
            place = Arc::clone(places).acquire_owned() => place.map(Inside).map_err(|_| Overloaded),
            () = clock.sleep(settings.wait) => Err(shed("late")),
        }
    }
}

fn shed(reason: &'static str) -> Overloaded {
    metrics::counter!("requests_shed_total", "reason" => reason).increment(1);
    Overloaded
}

/// One who waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn of(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        let counted = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < most).then_some(counted)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use chrono::{DateTime, Utc};
    use futures_util::{future::pending, poll};

    use super::*;

    /// A clock on which nobody has waited for long enough yet, or everybody has.
    struct Patient(bool);

    #[async_trait::async_trait]
    impl Clock for Patient {
        fn now(&self) -> DateTime<Utc> {
            DateTime::default()
        }

        async fn sleep(&self, _: Duration) {
            if self.0 {
                pending::<()>().await;
            }
        }
    }

    fn gate(at_once: usize, waiting: usize) -> Gate {
        Gate::new(GateSettings { at_once, waiting, ..GateSettings::default() })
    }

    #[tokio::test]
    async fn so_many_are_inside_so_many_wait_and_nobody_else_does() {
        let (gate, clock) = (gate(1, 1), Patient(true));
        let first = gate.enter(&clock).await.unwrap();
        let mut second = pin!(gate.enter(&clock));
        assert!(poll!(second.as_mut()).is_pending());
        assert_eq!(gate.enter(&clock).await.unwrap_err(), Overloaded);
        drop(first);
        let second = second.await.unwrap();
        let mut third = pin!(gate.enter(&clock));
        assert!(poll!(third.as_mut()).is_pending(), "who waited has given up their place in line");
        drop(second);
        assert!(third.await.is_ok());
    }

    #[tokio::test]
    async fn nobody_waits_for_longer_than_is_good_for_them() {
        let (gate, clock) = (gate(1, 1), Patient(false));
        let first = gate.enter(&clock).await.unwrap();
        assert_eq!(gate.enter(&clock).await.unwrap_err(), Overloaded);
        drop(first);
        assert!(gate.enter(&clock).await.is_ok());
    }

    #[tokio::test]
    async fn who_goes_away_while_they_wait_leaves_no_gap() {
        let (gate, clock) = (gate(1, 1), Patient(true));
        let first = gate.enter(&clock).await.unwrap();
        {
            let mut gone = pin!(gate.enter(&clock));
            assert!(poll!(gone.as_mut()).is_pending());
        }
        let mut next = pin!(gate.enter(&clock));
        assert!(poll!(next.as_mut()).is_pending());
        drop(first);
        assert!(next.await.is_ok());
    }
}
