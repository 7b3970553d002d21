//! The loop that does background jobs: takes what is due, keeps it by signs of life, says what became of it.

mod attempt;
mod calls;
mod desk;
mod handlers;

use std::{sync::Arc, time::Duration};

pub(crate) use calls::call_workers;
use desk::Desk;
use domain::{
    Result, Shop,
    bus::Bus,
    job::{ENQUEUED, ports::JobQueue},
};
pub(crate) use handlers::Handlers;
use tokio_util::sync::CancellationToken;

use super::pause::Pause;

/// Jobs whose time has come wake nobody, and those of commands beside the server neither: so often the queue is asked after
/// there was something.
const SOON: Duration = Duration::from_millis(500);
/// How often while there is nothing.
const QUIET: Duration = Duration::from_secs(2);

/// What the loop runs with.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) handlers: Arc<Handlers>,
    /// Whose clock counts.
    pub(crate) shop: Shop,
    /// Tells when jobs were stored, on any node.
    pub(crate) bus: Arc<dyn Bus>,
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
    let clock = Arc::clone(&work.shop.clock);
    let mut enqueued = work.bus.subscribe(&[ENQUEUED]).await;
    let mut desk = Desk::new(work);
    let mut pause = Pause::new(SOON, QUIET);
    while !stop.is_cancelled() {
        match desk.look().await {
            Ok(0) => pause.nothing(),
            Ok(_) => pause.found(),
            Err(error) => {
                pause.failed();
                let pause_ms = pause.millis();
                tracing::warn!(error = crate::chain(&error), pauseMs = pause_ms, "the job queue is asked again later");
            }
        }
        let wait = if pause.is_failing() { pause.length() } else { pause.length().min(desk.next_beat()) };
        tokio::select! {
            // What failed may be tried again soon.
            () = desk.ended(), if !pause.is_failing() => pause.found(),
            _ = enqueued.next(), if !pause.is_failing() && desk.has_room() => enqueued.clear(),
            () = clock.sleep(wait) => {}
            () = stop.cancelled() => {}
        }
    }
    desk.drain().await
}

#[cfg(test)]
mod tests;
