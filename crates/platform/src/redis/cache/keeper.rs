//! Keeps what a node knows of the shared cache up to date, and says in the database what Redis cannot be told.

use std::{
    sync::{PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use domain::{Error, Result};
use tokio::time::{sleep, timeout};

use super::{Shared, known::Known};

/// How often the row of epochs is read.
const REFRESH: Duration = Duration::from_millis(300);
/// The least time between two readings, however many ask for one.
const GAP: Duration = Duration::from_millis(10);
/// How long the database may take to answer. Later, the answer would be of little use.
const ANSWER: Duration = Duration::from_secs(1);
/// For how long the cache is suspended at once: so long after Redis is back, or after the end of who suspended it.
const SUSPENSION: Duration = Duration::from_secs(3);
/// A suspension that lasts no longer than this is renewed.
const RENEWED_BELOW: Duration = Duration::from_secs(2);
/// For how long it is renewed after the last write that needed it, so that the next need not wait.
const WRITES_GO_ON: Duration = Duration::from_mins(1);

/// What the keeper remembers from step to step.
#[derive(Default)]
struct Owed {
    /// How often events may have passed that nobody followed.
    times: u64,
    /// The epoch that must end for it.
    epoch: Option<u64>,
    /// That Redis does not name itself was logged.
    told: bool,
}

/// What one look at the database and at Redis came to.
enum Step {
    /// What is known is up to date.
    Known,
    /// Something was changed that is to be read back.
    Changed,
}

impl Shared {
    /// Keeps this node informed, for ever.
    pub(super) async fn keep_known(&self) {
        let (mut known, mut owed, mut told, mut changed) = (Known::default(), Owed::default(), false, false);
        loop {
            match self.step(&mut known, &mut owed).await {
                // Not again and again: nodes that are told of different servers would have no rest.
                Ok(Step::Changed) if !std::mem::replace(&mut changed, true) => continue,
                Ok(_) => (told, changed) = (false, false),
                // What is known stays as it is, and is believed for as long as it holds.
                Err(error) => {
                    if !std::mem::replace(&mut told, true) {
                        let cause = std::error::Error::source(&error).map(ToString::to_string);
                        tracing::warn!(%error, cause, "the cache rests until the database answers");
                    }
                }
            }
            self.known.send_replace(known);
            let serves = self.resumed.load(Ordering::SeqCst) && known.trusted(Instant::now()).is_some();
            metrics::gauge!("cache_trusted").set(if serves { 1.0 } else { 0.0 });
            sleep(GAP).await;
            tokio::select! {
                () = sleep(REFRESH) => {}
                () = self.poke.notified() => {}
            }
        }
    }

    async fn step(&self, known: &mut Known, owed: &mut Owed) -> Result<Step> {
        let missed = self.missed.load(Ordering::SeqCst);
        let asked = Instant::now();
        let standing = answered(self.epochs.standing()).await?;
        // An older copy of the database took its place: what was kept may be younger than what is stored.
        let went_back = known.epoch().is_some_and(|last| standing.epoch < last);
        known.learn(&standing, asked, Instant::now());
        if missed != owed.times || went_back {
            (owed.times, owed.epoch) = (missed, Some(standing.epoch));
        }
        match self.source().await {
            Some((generation, source)) if standing.source == source && owed.epoch != Some(standing.epoch) => {
                owed.epoch = None;
                self.made_up_for.store(owed.times, Ordering::SeqCst);
                if known.link().is_none() {
                    // Redis is there again: whoever could not reach it can.
                    *self.unsaid.lock().unwrap_or_else(PoisonError::into_inner) = None;
                }
                known.found(Some(generation));
            }
            Some((_, source)) => {
                known.found(None);
                answered(self.epochs.begin(standing.epoch, &source)).await?;
                tracing::debug!(seen = standing.epoch, "the cache begins anew");
                metrics::counter!("cache_epochs_total", "cause" => "begin").increment(1);
                return Ok(Step::Changed);
            }
            None => {
                known.found(None);
                if self.redis.generation().is_some() && !std::mem::replace(&mut owed.told, true) {
                    tracing::warn!("Redis does not say which server it is (INFO); nothing is cached");
                }
            }
        }
        if self.is_unsaid() && !known.stays_quiet(Instant::now(), RENEWED_BELOW) {
            answered(self.epochs.suspend(SUSPENSION)).await?;
            tracing::debug!("the cache is suspended on all nodes");
            metrics::counter!("cache_epochs_total", "cause" => "suspension").increment(1);
            return Ok(Step::Changed);
        }
        Ok(Step::Known)
    }

    /// Whether a write needed it lately that nobody serves.
    fn is_unsaid(&self) -> bool {
        let unsaid = self.unsaid.lock().unwrap_or_else(PoisonError::into_inner);
        unsaid.is_some_and(|moment| moment.elapsed() < WRITES_GO_ON)
    }

    /// The server at the other end, by what it calls itself and its memory: another run of it, or a copy of it that took
    /// its place, is another source.
    async fn source(&self) -> Option<(u64, String)> {
        let generation = self.redis.generation()?;
        let mut commands = ::redis::pipe();
        commands.cmd("INFO").arg("server").cmd("INFO").arg("replication");
        let (server, replication): (String, String) = self.redis.call_all_on(generation, &commands).await.ok()?;
        let named = |text: &str, name: &str| {
            text.lines().find_map(|line| Some(line.trim().strip_prefix(name)?.strip_prefix(':')?.to_owned()))
        };
        let (run, memory) = (named(&server, "run_id")?, named(&replication, "master_replid")?);
        Some((generation, format!("{run}/{memory}")))
    }
}

async fn answered<T>(asked: impl Future<Output = Result<T>>) -> Result<T> {
    let late = |source| Error::Unavailable { what: "Database", source };
    timeout(ANSWER, asked).await.map_err(|late_by| late(late_by.into()))?
}
