//! Changes of this process that the log has not shown yet.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use domain::id::EventId;

/// More than this are forgotten, and made old twice.
const MOST: usize = 100_000;

/// Events this process has made the cache old for.
#[derive(Default)]
pub(crate) struct Own(Mutex<HashSet<EventId>>);

impl Own {
    pub(crate) fn note(&self, events: &[EventId]) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if own.len() + events.len() > MOST {
            own.clear();
        }
        own.extend(events);
    }

    /// Whether an event is one of them. The log shows each once.
    pub(crate) fn take(&self, event: EventId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&event)
    }
}
