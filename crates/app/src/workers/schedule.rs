//! The loop that looks at the schedule.

use std::time::Duration;

use domain::{
    Result,
    schedule::{Scheduler, step},
};
use tokio_util::sync::CancellationToken;

use super::pause::Pause;

/// How often the schedule is looked at beside the moments of its ticks: after the start, and after there was a tick.
const SOON: Duration = Duration::from_secs(1);
/// How often else, for what the clock of this machine may do: a tick is not missed before a minute is over.
const QUIET: Duration = Duration::from_secs(20);

/// Looks at the schedule until told to stop.
pub(crate) async fn schedule_worker(scheduler: Scheduler, stop: CancellationToken) -> Result<()> {
    let mut pause = Pause::new(SOON, QUIET);
    while !stop.is_cancelled() {
        match step(&scheduler).await {
            Ok(0) => pause.nothing(),
            Ok(stored) => {
                pause.found();
                metrics::counter!("schedule_runs_total").increment(stored);
            }
            Err(error) => {
                pause.failed();
                tracing::warn!(error = crate::chain(&error), "the schedule is looked at again later");
            }
        }
        let now = scheduler.shop.now();
        let tick = scheduler.entries.iter().filter_map(|entry| entry.next(now)).min();
        let to_tick = tick.map_or(QUIET, |tick| (tick - now).to_std().unwrap_or_default());
        let wait = if pause.is_failing() { pause.length() } else { pause.length().min(to_tick) };
        tokio::select! {
            () = scheduler.shop.clock.sleep(wait) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}
