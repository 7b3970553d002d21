//! The entries of the schedule.

use std::sync::Arc;

use domain::{
    assets::{SettleFiles, SweepFiles, image::RerenderImages},
    assistant::SettleCalls,
    catalog::ReindexProducts,
    identity::RotateKeys,
    job::{Job, Request},
    retention::{PurgeJobs, PurgeShop},
    schedule::Entry,
};

use crate::config::{Config, Timing};

/// Every entry, as the settings time it.
pub(crate) fn entries(config: &Config) -> Arc<[Entry]> {
    let schedule = &config.schedule;
    Arc::from([
        entry("purge", &schedule.purge, &PurgeShop {}),
        entry("purge_jobs", &schedule.purge_jobs, &PurgeJobs {}),
        entry("rotate_keys", &schedule.rotate_keys, &RotateKeys {}),
        entry("sweep_files", &schedule.sweep_files, &SweepFiles {}),
        entry("settle_files", &schedule.settle_files, &SettleFiles {}),
        entry("settle_calls", &schedule.settle_calls, &SettleCalls {}),
        entry("reindex", &schedule.reindex, &ReindexProducts::default()),
        entry("rerender", &schedule.rerender, &RerenderImages::default()),
    ])
}

fn entry<J: Job>(name: &'static str, timing: &Timing, job: &J) -> Entry {
    Entry { name, cron: timing.cron.clone(), catch_up: timing.catch_up, job: Request::of(job) }
}
