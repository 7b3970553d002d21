//! A document of somebody else, fetched once however many ask, and kept as long as it says.

use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use domain::clock::Timestamp;
use tokio::sync::Mutex;

use super::Calls;
use crate::{
    client::{Answer, Method, StatusCode, Target, header},
    resilience::Dependency,
};

/// Most bytes of it.
const SIZE: usize = 512 * 1024;
/// How long it is kept when it does not say.
const USUAL: Duration = Duration::from_mins(10);
/// The shortest and the longest it is kept, whatever it says.
const LEAST: Duration = Duration::from_mins(1);
const MOST: Duration = Duration::from_hours(6);
/// How long it is used past that while whoever gives it is away.
const STALE: Duration = Duration::from_hours(24);
/// After so long what it lacks may be asked for anew: so whoever asks for what is not there makes few calls.
const COOLDOWN: Duration = Duration::from_secs(30);
/// After so long a call that failed is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// And one that whoever made it went away from.
const LOST: Duration = Duration::from_secs(1);

/// It cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Away;

/// A document of somebody else.
pub(super) struct Cached<T> {
    calls: Calls,
    /// Whom the calls go to.
    at: Dependency,
    /// Whose it is, for whoever reads the metrics.
    of: String,
    what: &'static str,
    kept: RwLock<Kept<T>>,
    /// Held by the one who fetches.
    turn: Mutex<()>,
}

struct Kept<T> {
    document: Option<(Arc<T>, u64)>,
    fresh_until: Timestamp,
    usable_until: Timestamp,
    not_before: Timestamp,
}

impl<T> Kept<T> {
    fn usable(&self, now: Timestamp) -> Option<(Arc<T>, u64)> {
        self.document.clone().filter(|_| now < self.usable_until)
    }
}

impl<T> Cached<T> {
    pub(super) fn new(calls: Calls, at: &Dependency, of: &str, what: &'static str) -> Self {
        let never = Timestamp::MIN_UTC;
        let kept = Kept { document: None, fresh_until: never, usable_until: never, not_before: never };
        let at = at.clone();
        Self { calls, at, of: of.to_owned(), what, kept: RwLock::new(kept), turn: Mutex::new(()) }
    }

    /// The number of what is kept, when it need not be asked for anew: as long as it is the same, nothing changed.
    pub(super) fn fresh(&self) -> Option<u64> {
        let kept = self.read();
        let number = kept.document.as_ref().map(|(_, number)| *number);
        number.filter(|_| self.calls.clock.now() < kept.fresh_until)
    }

    /// The document with its number: one that is `good` for whoever asks, if it can be had.
    pub(super) async fn get(
        &self,
        at: &Target,
        read: impl Fn(&Answer) -> Option<T>,
        good: impl Fn(&T) -> bool,
    ) -> Result<(Arc<T>, u64), Away> {
        let now = self.calls.clock.now();
        let (usable, fresh) = {
            let kept = self.read();
            (kept.usable(now), now < kept.fresh_until)
        };
        let usable = usable.filter(|(document, _)| good(document));
        let _turn = match usable {
            Some(usable) if fresh => return Ok(usable),
            // Somebody asks just now; nobody waits for them who has something.
            Some(usable) => match self.turn.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(usable),
            },
            None => self.turn.lock().await,
        };
        let now = self.calls.clock.now();
        {
            let kept = self.read();
            let usable = kept.usable(now);
            let answered = usable.as_ref().is_some_and(|(document, _)| good(document)) && now < kept.fresh_until;
            if answered || now < kept.not_before {
                return usable.ok_or(Away);
            }
        }
        // Should whoever waits for the answer go away, the next one asks, but not at once.
        self.write().not_before = now + LOST;
        let answer = self.calls.client.request(Method::GET, at).header(header::ACCEPT, "application/json");
        let answer = answer.at_most(SIZE).send_through(&self.at).await;
        let document = match &answer {
            Ok(answer) if answer.status == StatusCode::OK => read(answer).map(|document| (document, lifetime(answer))),
            _ => None,
        };
        let outcome = if document.is_some() { "ok" } else { "failed" };
        metrics::counter!("issuer_fetches_total", "issuer" => self.of.clone(), "document" => self.what, "outcome" => outcome)
            .increment(1);
        let now = self.calls.clock.now();
        let mut kept = self.write();
        if let Some((document, lifetime)) = document {
            let number = kept.document.as_ref().map_or(0, |(_, number)| number + 1);
            kept.document = Some((Arc::new(document), number));
            kept.fresh_until = now + lifetime;
            kept.usable_until = kept.fresh_until + STALE;
            kept.not_before = now + COOLDOWN;
        } else {
            let status = answer.as_ref().ok().map(|answer| answer.status.as_u16());
            let fault = answer.as_ref().err().map(tracing::field::display);
            tracing::warn!(issuer = self.of, document = self.what, status, fault, "an issuer's document cannot be had");
            kept.not_before = now + RETRY;
        }
        kept.usable(now).ok_or(Away)
    }

    fn read(&self) -> RwLockReadGuard<'_, Kept<T>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Kept<T>> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long an answer says that it may be kept, within bounds.
fn lifetime(answer: &Answer) -> Duration {
    let said = answer.headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = said.split(',').map(str::trim);
    let age = parts.find_map(|part| part.strip_prefix("max-age=")?.parse().ok()).map(Duration::from_secs);
    age.unwrap_or(USUAL).clamp(LEAST, MOST)
}
