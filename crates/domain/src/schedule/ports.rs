//! What the schedule needs of the database.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::{clock::Timestamp, error::Result, id::JobId, job::JobState};

/// The write side of the schedule.
#[async_trait]
pub trait ScheduleRepo: Send {
    /// Moves the mark of how far an entry was looked at from `from` to `to`; `None` is an entry that has no mark, because
    /// it was never seen or is off. `false`, and nothing is changed, when it does not stand at `from` any more. Two
    /// transactions MUST NOT both move it from the same place.
    async fn advance(&mut self, name: &str, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<bool>;

    /// Notes the job of a tick; `false` when the tick has one already.
    async fn record(&mut self, run: &Run) -> Result<bool>;
}

/// A tick that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The entry.
    pub name: String,
    /// Which moment of its cron line, or when somebody asked.
    pub tick: Timestamp,
    /// Whether somebody asked for it.
    pub by_hand: bool,
    /// The job.
    pub job: JobId,
    /// Where the job stands; `None` when it is gone.
    pub state: Option<JobState>,
    /// When the job ended.
    pub finished_at: Option<Timestamp>,
}

/// The read side of the schedule.
#[async_trait]
pub trait ScheduleQueries: Send + Sync {
    /// How far each entry was looked at.
    async fn looked_at(&self) -> Result<BTreeMap<String, Timestamp>>;

    /// The latest runs of an entry, the latest first, at most `limit`.
    async fn runs(&self, name: &str, limit: u32) -> Result<Vec<Run>>;
}
