//! How many jobs wait, run or are dead, for whoever watches.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    Result,
    clock::{Clock, Timestamp},
    job::{
        JobState,
        ports::{Depth, JobQueries},
    },
};
use tokio_util::sync::CancellationToken;

/// How often they are counted.
const EVERY: Duration = Duration::from_secs(5);

/// Counts until told to stop. While the database is away the last numbers stand.
pub(crate) async fn job_gauges(
    jobs: Arc<dyn JobQueries>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<()> {
    let mut seen = BTreeSet::new();
    while !stop.is_cancelled() {
        let now = clock.now();
        match jobs.depths(now).await {
            Ok(depths) => show(&mut seen, &depths, now),
            Err(error) => tracing::debug!(error = crate::chain(&error), "jobs were not counted"),
        }
        tokio::select! {
            () = clock.sleep(EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// Kinds that were there once are zero when they are there no more.
fn show(seen: &mut BTreeSet<String>, depths: &[Depth], now: Timestamp) {
    seen.extend(depths.iter().map(|depth| depth.kind.clone()));
    for kind in seen.iter() {
        for (state, name) in
            [(JobState::Waiting, "jobs_waiting"), (JobState::Running, "jobs_running"), (JobState::Dead, "jobs_dead")]
        {
            let depth = depths.iter().find(|depth| depth.kind == *kind && depth.state == state);
            let jobs = depth.map_or(0, |depth| depth.jobs);
            metrics::gauge!(name, "kind" => kind.clone()).set(f64::from(u32::try_from(jobs).unwrap_or(u32::MAX)));
            if state == JobState::Waiting {
                let since = depth.and_then(|depth| depth.due_since).unwrap_or(now);
                let age = (now - since).to_std().unwrap_or_default();
                metrics::gauge!("jobs_oldest_due_seconds", "kind" => kind.clone()).set(age.as_secs_f64());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn what_waits_is_shown_by_kind_and_forgotten_kinds_are_zero() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let now = Timestamp::UNIX_EPOCH + Duration::from_secs(100);
        let since = Timestamp::UNIX_EPOCH + Duration::from_secs(40);
        let depth = |kind: &str, state, jobs, due_since| Depth { kind: kind.to_owned(), state, jobs, due_since };
        metrics::with_local_recorder(&recorder, || {
            let mut seen = BTreeSet::new();
            let gone = depth("gone", JobState::Waiting, 7, Some(since));
            show(&mut seen, &[gone], now);
            let depths = [
                depth("purge", JobState::Dead, 2, None),
                depth("purge", JobState::Waiting, 3, Some(since)),
                depth("later", JobState::Waiting, 1, None),
            ];
            show(&mut seen, &depths, now);
        });
        let text = handle.render();
        for line in [
            "jobs_waiting{kind=\"purge\"} 3",
            "jobs_dead{kind=\"purge\"} 2",
            "jobs_running{kind=\"purge\"} 0",
            "jobs_oldest_due_seconds{kind=\"purge\"} 60",
            "jobs_oldest_due_seconds{kind=\"later\"} 0",
            "jobs_waiting{kind=\"gone\"} 0",
            "jobs_oldest_due_seconds{kind=\"gone\"} 0",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
