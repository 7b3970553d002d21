//! The loop that looks at the schedule.

use std::time::Duration;

use domain::{
    Result,
    schedule::{Scheduler, step},
};
use tokio_util::sync::CancellationToken;

/// How often the schedule is looked at: a tick is at most so late.
const LOOK: Duration = Duration::from_secs(1);
/// The longest pause after errors in a row, such as while the database is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Looks at the schedule until told to stop.
pub(crate) async fn schedule_worker(scheduler: Scheduler, stop: CancellationToken) -> Result<()> {
    let mut pause = LOOK;
    while !stop.is_cancelled() {
        match step(&scheduler).await {
            Ok(stored) => {
                pause = LOOK;
                metrics::counter!("schedule_runs_total").increment(stored);
            }
            Err(error) => {
                pause = (pause * 2).min(LONGEST_PAUSE);
                tracing::warn!(error = crate::chain(&error), "the schedule is looked at again later");
            }
        }
        tokio::select! {
            () = scheduler.shop.clock.sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}
