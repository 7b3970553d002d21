//! What is noted of requests off their path: of each thing one note waits, until one loop stores all of them.
//!
//! Notes are telemetry (ruling R22): of more things than may wait none is taken.

use std::{
    collections::HashMap,
    hash::Hash,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

/// Things of which a note may wait.
pub(crate) const MOST: usize = 10_000;

/// What waits: requests write to it, one loop empties it. Clones share it.
pub(crate) struct Notes<T, N>(Arc<Mutex<HashMap<T, N>>>);

impl<T, N> Clone for Notes<T, N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T, N> Default for Notes<T, N> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Eq + Hash, N> Notes<T, N> {
    fn waiting(&self) -> MutexGuard<'_, HashMap<T, N>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a note of a thing, or joins it to the one that waits; `false` when too many wait.
    pub(crate) fn take(&self, thing: T, note: N, join: impl FnOnce(N, N) -> N) -> bool {
        let mut waiting = self.waiting();
        let joined = match waiting.remove(&thing) {
            Some(before) => join(before, note),
            None if waiting.len() < MOST => note,
            None => return false,
        };
        waiting.insert(thing, joined);
        true
    }

    /// What waits after this pause, or at once when it is time to stop; `None` when nothing does any more.
    pub(crate) async fn next(&self, pause: Duration, stop: &CancellationToken) -> Option<Vec<(T, N)>> {
        loop {
            let is_over = stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none();
            let waited = mem::take(&mut *self.waiting());
            if !waited.is_empty() {
                return Some(waited.into_iter().collect());
            }
            if is_over {
                return None;
            }
        }
    }
}
