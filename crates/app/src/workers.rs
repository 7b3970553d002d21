//! Background work: every loop is started here, started again when it fails, and stopped at the end.

pub(crate) mod dependencies;
pub(crate) mod feed;
pub(crate) mod job_gauges;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod pause;
pub(crate) mod relay;
pub(crate) mod rooms;
pub(crate) mod schedule;
pub(crate) mod webhooks;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use domain::{Result, clock::Clock};
use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The pause before a failed loop starts again; it doubles with each failure in a row.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A loop that ran for this long is well again.
const WELL_AFTER: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// The loops of this process.
pub(crate) struct Workers {
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Workers {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, stop: CancellationToken::new(), tasks: JoinSet::new() }
    }

    /// Starts a loop. It MUST end soon after its token is cancelled; when it ends before that, by an error, a panic
    /// or by itself, it is started again after a pause.
    pub(crate) fn start<F, R>(&mut self, name: &'static str, work: F)
    where
        F: Fn(CancellationToken) -> R + Send + 'static,
        R: Future<Output = Result<()>> + Send + 'static,
    {
        let (clock, stop) = (Arc::clone(&self.clock), self.stop.clone());
        self.tasks.spawn(supervise(name, work, clock, stop));
    }

    /// Asks every loop to end and waits, at most for `limit`.
    pub(crate) async fn stop(mut self, limit: Duration) {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "background work did not end in time");
        }
    }
}

async fn supervise<F, R>(name: &'static str, work: F, clock: Arc<dyn Clock>, stop: CancellationToken)
where
    F: Fn(CancellationToken) -> R + Send + 'static,
    R: Future<Output = Result<()>> + Send + 'static,
{
    let mut pause = FIRST_PAUSE;
    loop {
        let began = clock.now();
        let ended = AssertUnwindSafe(work(stop.clone())).catch_unwind().await;
        if stop.is_cancelled() {
            if let Ok(Err(error)) = ended {
                tracing::error!(worker = name, error = crate::chain(&error), "background work ended badly");
            }
            return;
        }
        let cause = match ended {
            Ok(Ok(())) => "it ended by itself".to_owned(),
            Ok(Err(error)) => crate::chain(&error),
            Err(_) => "it panicked".to_owned(),
        };
        if clock.now() - began > WELL_AFTER {
            pause = FIRST_PAUSE;
        }
        metrics::counter!("worker_restarts_total", "worker" => name).increment(1);
        tracing::error!(worker = name, cause, pauseMs = pause.as_secs_f64() * 1000.0, "background work starts again");
        tokio::select! {
            () = clock.sleep(pause) => {}
            () = stop.cancelled() => return,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use domain::clock::Timestamp;
    use tokio::sync::Notify;

    use super::*;

    /// A clock whose waits are over at once.
    struct Hurried;

    #[async_trait::async_trait]
    impl Clock for Hurried {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        async fn sleep(&self, _: Duration) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_loop_that_fails_panics_or_ends_is_started_again_and_stops_when_told() {
        let (runs, again) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let mut workers = Workers::new(Arc::new(Hurried));
        workers.start("test", {
            let (runs, again) = (Arc::clone(&runs), Arc::clone(&again));
            move |stop| {
                let (run, again) = (runs.fetch_add(1, Ordering::SeqCst), Arc::clone(&again));
                async move {
                    match run {
                        0 => Err(domain::Error::internal("fails")),
                        1 => panic!("panics"),
                        2 => Ok(()),
                        _ => {
                            again.notify_one();
                            stop.cancelled().await;
                            Ok(())
                        }
                    }
                }
            }
        });
        again.notified().await;
        workers.stop(Duration::from_secs(5)).await;
        assert_eq!(runs.load(Ordering::SeqCst), 4);
    }
}
