//! Answers being made: of many who want one at once, one makes it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::cache::Entry;
use tokio::sync::watch;

use super::Mark;

type Given = Option<Arc<Entry>>;

/// What is being made at this moment.
#[derive(Clone)]
pub(super) struct Flights<M>(Arc<Mutex<HashMap<Arc<str>, Flight<M>>>>);

struct Flight<M> {
    mark: M,
    answer: watch::Receiver<Given>,
}

/// Whether to make an answer or to wait for it.
pub(super) enum Joined<M: Mark> {
    Lead(Making<M>),
    Follow(Answer),
}

/// An answer another makes.
pub(crate) struct Answer(watch::Receiver<Given>);

impl Answer {
    /// Waits; `None` when the other gave up.
    pub(crate) async fn await_it(mut self) -> Option<Arc<Entry>> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}

/// The making of an answer. Dropping it gives up.
pub(crate) struct Making<M: Mark> {
    flights: Flights<M>,
    text: Arc<str>,
    mark: M,
    answer: watch::Sender<Given>,
}

impl<M> Default for Flights<M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<M: Mark> Flights<M> {
    /// Joins the making of an answer that shows all that `asked` shows, or begins one, that shows what `present` gives.
    pub(super) fn begin(&self, text: &Arc<str>, asked: &M, present: impl FnOnce() -> M) -> Joined<M> {
        let mut flights = self.flights();
        if let Some(flight) = flights.get(text).filter(|flight| flight.mark.covers(asked)) {
            return Joined::Follow(Answer(flight.answer.clone()));
        }
        let (answer, follow) = watch::channel(None);
        let mark = present();
        flights.insert(Arc::clone(text), Flight { mark: mark.clone(), answer: follow });
        Joined::Lead(Making { flights: self.clone(), text: Arc::clone(text), mark, answer })
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Arc<str>, Flight<M>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Mark> Making<M> {
    /// What it will show.
    pub(crate) fn mark(&self) -> &M {
        &self.mark
    }

    /// Gives the answer to those who wait.
    pub(crate) fn done(self, entry: Arc<Entry>) {
        self.answer.send_replace(Some(entry));
    }
}

impl<M: Mark> Drop for Making<M> {
    fn drop(&mut self) {
        let mut flights = self.flights.flights();
        // Another may have begun anew since, because this one was too old for them.
        if flights.get(&self.text).is_some_and(|flight| flight.answer.same_channel(&self.answer.subscribe())) {
            flights.remove(&self.text);
        }
    }
}
