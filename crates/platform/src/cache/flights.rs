//! Answers being made: of many who want one at once, one makes it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::cache::Entry;
use tokio::sync::watch;

type Given = Option<Arc<Entry>>;

/// What is being made at this moment.
#[derive(Default, Clone)]
pub(super) struct Flights(Arc<Mutex<HashMap<Arc<str>, Flight>>>);

struct Flight {
    age: u64,
    answer: watch::Receiver<Given>,
}

/// Whether to make an answer or to wait for it.
pub(super) enum Joined {
    Lead(Making),
    Follow(Answer),
}

/// An answer another makes.
pub(super) struct Answer(watch::Receiver<Given>);

impl Answer {
    /// Waits; `None` when the other gave up.
    pub(super) async fn await_it(mut self) -> Option<Arc<Entry>> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}

/// The making of an answer. Dropping it gives up.
pub(super) struct Making {
    flights: Flights,
    text: Arc<str>,
    age: u64,
    answer: watch::Sender<Given>,
}

impl Flights {
    /// Joins the making of an answer that shows every change up to `age`, or begins one, at the present tick.
    pub(super) fn begin(&self, text: &Arc<str>, age: u64, now: impl FnOnce() -> u64) -> Joined {
        let mut flights = self.flights();
        if let Some(flight) = flights.get(text).filter(|flight| flight.age >= age) {
            return Joined::Follow(Answer(flight.answer.clone()));
        }
        let (answer, follow) = watch::channel(None);
        let age = now();
        flights.insert(Arc::clone(text), Flight { age, answer: follow });
        Joined::Lead(Making { flights: self.clone(), text: Arc::clone(text), age, answer })
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Arc<str>, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Making {
    /// The tick at which it began.
    pub(super) fn age(&self) -> u64 {
        self.age
    }

    /// Gives the answer to those who wait.
    pub(super) fn done(self, entry: Arc<Entry>) {
        self.answer.send_replace(Some(entry));
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let mut flights = self.flights.flights();
        // Another may have begun anew since, because this one was too old for them.
        if flights.get(&self.text).is_some_and(|flight| flight.answer.same_channel(&self.answer.subscribe())) {
            flights.remove(&self.text);
        }
    }
}
