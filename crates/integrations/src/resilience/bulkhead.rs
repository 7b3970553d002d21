//! How many calls are made at once, and how many wait: one who is slow holds up so many and no more.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use domain::clock::Clock;
use tokio::sync::{Semaphore, SemaphorePermit};

/// So many at once, and so many that wait.
#[derive(Debug)]
pub(super) struct Bulkhead {
    places: Semaphore,
    waiting: AtomicUsize,
    most_waiting: usize,
}

impl Bulkhead {
    pub(super) fn new(at_once: usize, most_waiting: usize) -> Self {
        Self { places: Semaphore::new(at_once), waiting: AtomicUsize::new(0), most_waiting }
    }

    /// A place, within this time; `None` when there is none, or too many wait already.
    pub(super) async fn enter(&self, within: Duration, clock: &dyn Clock) -> Option<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Some(place);
        }
        let _counted = Waiting::of(&self.waiting, self.most_waiting)?;
        tokio::select! {
            biased;
            place = self.places.acquire() => place.ok(),
            () = clock.sleep(within) => None,
        }
    }
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
