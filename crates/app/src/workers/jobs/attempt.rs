//! One attempt at one job, from its begin to what became of it.

use std::{panic::AssertUnwindSafe, time::Instant};

use domain::job::{Outcome, Policy, Settled, StoredJob, settle};
use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::{Pause, QUIET, SOON, Work, handlers::Known};

/// Why an attempt is ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// An operator wants it.
    Stopped,
    /// Another worker has the job, or will have before we hear of the database again.
    Lost,
    /// This process ends; the job is given back.
    Released,
}

/// Runs the handler and stores what becomes of the job. Ended from outside it stores nothing, unless an operator wanted it
/// to end.
pub(super) async fn attempt(
    work: Work,
    kind: &'static str,
    known: Known,
    job: StoredJob,
    mut ended: oneshot::Receiver<Ended>,
) {
    let began = Instant::now();
    // The handler is called within, so that a panic of its first line counts too.
    let handled = AssertUnwindSafe(async { (known.handler)(job.payload.clone(), job.id).await }).catch_unwind();
    let outcome = tokio::select! {
        handled = tokio::time::timeout(job.timeout, handled) => match handled {
            Ok(Ok(Ok(()))) => Outcome::Done,
            Ok(Ok(Err(failure))) => Outcome::Failed(failure),
            Ok(Err(_)) => Outcome::Panicked,
            Err(_) => Outcome::TimedOut,
        },
        why = &mut ended => match why {
            Ok(Ended::Stopped) => Outcome::Stopped,
            Ok(Ended::Released) => return,
            // The loop that knew of it is gone, and with it the signs of life.
            Ok(Ended::Lost) | Err(_) => {
                tracing::warn!(kind, job = %job.id, "another worker has the job by now; it is left to that one");
                return;
            }
        },
    };
    count(kind, &outcome);
    metrics::histogram!("job_duration_seconds", "kind" => kind, "outcome" => outcome.name()).record(began.elapsed());
    let settled = conclude(&work, &known.policy, &job, &outcome);
    store(&work, &job, &settled, ended).await;
}

/// What becomes of a job after that outcome; told in the log when it failed.
pub(super) fn conclude(work: &Work, policy: &Policy, job: &StoredJob, outcome: &Outcome) -> Settled {
    let mut byte = [0];
    work.shop.entropy.fill(&mut byte);
    let [jitter] = byte;
    let settled = settle(job, policy, outcome, work.shop.now(), jitter);
    let reason = match &settled {
        Settled::Again { errors, .. } | Settled::Dead { errors } => errors.last().map(|error| error.reason.as_str()),
        Settled::Done | Settled::Cancelled => None,
    };
    if let Some(reason) = reason {
        let (kind, attempt, dead) = (&job.kind, job.attempts, matches!(settled, Settled::Dead { .. }));
        if dead {
            tracing::error!(kind, job = %job.id, attempt, reason, "job given up; an operator may have it retried");
        } else {
            tracing::warn!(kind, job = %job.id, attempt, reason, "job failed and is tried again");
        }
    }
    settled
}

pub(super) fn count(kind: &'static str, outcome: &Outcome) {
    metrics::counter!("job_attempts_total", "kind" => kind, "outcome" => outcome.name()).increment(1);
}

/// Says what became of the job until the database hears it: while it is away the loop tries to keep the job as well.
async fn store(work: &Work, job: &StoredJob, settled: &Settled, mut ended: oneshot::Receiver<Ended>) {
    let mut pause = Pause::new(SOON, QUIET);
    loop {
        match work.queue.settle(job.attempt(), settled, work.shop.now()).await {
            Ok(true) => return,
            Ok(false) => {
                tracing::warn!(kind = job.kind, job = %job.id, "the job was taken over before this attempt ended");
                return;
            }
            Err(error) => {
                tracing::warn!(job = %job.id, error = crate::chain(&error), "what became of a job is stored later");
            }
        }
        tokio::select! {
            () = work.shop.clock.sleep(pause.length()) => pause.failed(),
            // Asked to stop it is too late; given back or lost, others see to it.
            why = &mut ended, if !ended.is_terminated() => if why != Ok(Ended::Stopped) { return },
        }
    }
}
