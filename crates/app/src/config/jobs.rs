//! `[jobs]`: background jobs.

use std::time::Duration;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("jobs.at_once", "8", "Jobs that this process does at the same time; 0 leaves them to other nodes."),
    Setting::new("jobs.lease_seconds", "30", "How long the jobs of a node that died wait for another one."),
    Setting::new(
        "jobs.drain_seconds",
        "5",
        "How long running jobs may take to end at shutdown; the rest is given back.",
    ),
];

/// Background jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Jobs {
    pub(crate) at_once: u32,
    pub(crate) lease: Duration,
    pub(crate) drain: Duration,
}

impl Jobs {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let at_once = reader.number("jobs.at_once", 0..=256);
        let lease = reader.seconds("jobs.lease_seconds", 2..=3600);
        let drain = reader.seconds("jobs.drain_seconds", 0..=600);
        Some(Self { at_once: at_once?, lease: lease?, drain: drain? })
    }
}
