//! A job as it is stored.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Priority;
use crate::{
    clock::Timestamp,
    id::{EventId, JobId},
};

/// Most errors kept of a job: the latest.
pub const ERRORS: usize = 20;
/// Most characters kept of an error.
const REASON: usize = 1000;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobState {
    /// For its time, or for a worker.
    Waiting,
    /// A worker has it.
    Running,
    /// It was done.
    Done,
    /// An operator did not want it any more.
    Cancelled,
    /// It was given up; an operator may have it tried again.
    Dead,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Running, Self::Done, Self::Cancelled, Self::Dead];

    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Dead => "dead",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it may still be worked on.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// Its number, from 1.
    pub attempt: u32,
    /// When it failed.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A job with all that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredJob {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// What the handler must know.
    pub payload: Value,
    /// Which of several due jobs go first.
    pub priority: Priority,
    /// Where it stands.
    pub state: JobState,
    /// When it is due, or was.
    pub run_at: Timestamp,
    /// Attempts begun since it was stored or tried again.
    pub attempts: u32,
    /// After so many it is dead.
    pub max_attempts: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Unique among the unfinished jobs of the kind.
    pub key: Option<String>,
    /// The event it is the reaction to.
    pub event: Option<EventId>,
    /// Who works on it.
    pub worker: Option<String>,
    /// Until when the worker has it, unless it asks for longer.
    pub lease_until: Option<Timestamp>,
    /// Grows with every attempt, of all workers.
    pub fence: u64,
    /// Whether an operator wants the running attempt to end.
    pub stop_asked: bool,
    /// What went wrong, oldest first, the latest [`ERRORS`] of it.
    pub errors: Vec<FailedAttempt>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When the latest attempt began.
    pub started_at: Option<Timestamp>,
    /// When it was done, cancelled or given up.
    pub finished_at: Option<Timestamp>,
}

impl StoredJob {
    /// Its errors with one more; the oldest goes when there are too many.
    pub fn errors_with(&self, reason: &str, at: Timestamp) -> Vec<FailedAttempt> {
        let reason: String = reason.chars().take(REASON).filter(|c| *c != '\0').collect();
        let one = FailedAttempt { attempt: self.attempts, at, reason };
        let kept = self.errors.len().saturating_sub(ERRORS - 1);
        self.errors.iter().skip(kept).cloned().chain([one]).collect()
    }
}
