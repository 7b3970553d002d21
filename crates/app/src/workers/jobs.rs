//! The loop that does background jobs: takes what is due, keeps it by signs of life, says what became of it.

mod attempt;
mod desk;
mod handlers;

use std::{sync::Arc, time::Duration};

use desk::Desk;
use domain::{Result, Shop, job::ports::JobQueue};
pub(crate) use handlers::Handlers;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Jobs of other nodes, and jobs whose time has come, wake nobody here, so the queue is asked this often.
const LOOK: Duration = Duration::from_millis(500);
/// The longest pause after errors in a row, such as while the database is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What the loop runs with.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) handlers: Arc<Handlers>,
    /// Whose clock counts.
    pub(crate) shop: Shop,
    /// Told when this process has stored jobs.
    pub(crate) enqueued: Arc<Notify>,
    /// Most jobs at the same time.
    pub(crate) at_once: u32,
    /// For how long jobs are taken: so long those of a node that died wait for another one.
    pub(crate) lease: Duration,
    /// How long running jobs may take to end when told to stop.
    pub(crate) drain: Duration,
}

/// Does jobs until told to stop; then waits for those that run, and gives back what is not done in time. Errors of the
/// database end nothing: jobs that run go on, and the queue is asked again later.
pub(crate) async fn job_worker(work: Work, stop: CancellationToken) -> Result<()> {
    let (clock, enqueued) = (Arc::clone(&work.shop.clock), Arc::clone(&work.enqueued));
    let mut desk = Desk::new(work);
    let mut pause = LOOK;
    while !stop.is_cancelled() {
        match desk.look().await {
            Ok(()) => pause = LOOK,
            Err(error) => {
                pause = (pause * 2).min(LONGEST_PAUSE);
                let pause_ms = pause.as_secs_f64() * 1000.0;
                tracing::warn!(error = crate::chain(&error), pauseMs = pause_ms, "the job queue is asked again later");
            }
        }
        tokio::select! {
            // An error is not retried at the pace of the jobs that end or come.
            () = desk.ended(), if pause == LOOK => {}
            () = enqueued.notified(), if pause == LOOK && desk.has_room() => {}
            () = clock.sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
    desk.drain().await
}

#[cfg(test)]
mod tests;
