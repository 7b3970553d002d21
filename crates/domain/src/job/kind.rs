//! Kinds of jobs, and how each is to be run.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::Backoff;

/// A kind of job: what it must know, and how it is run.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of the kind, such as `purge`. It is stored, so it never changes its meaning.
    const NAME: &'static str;

    /// How jobs of this kind are run.
    fn policy() -> Policy {
        Policy::default()
    }

    /// What is stored of the job. What could not be written down does not read back either, and is given up with that
    /// reason.
    fn payload(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

/// How the jobs of a kind are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Which of several due jobs go first.
    pub priority: Priority,
    /// After so many failed attempts a job is dead.
    pub attempts: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long it waits between attempts.
    pub backoff: Backoff,
    /// Most jobs of the kind at the same time in one process.
    pub at_once: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            priority: Priority::Normal,
            attempts: 10,
            timeout: Duration::from_mins(1),
            backoff: Backoff::default(),
            at_once: 4,
        }
    }
}

/// Which of several due jobs go first. Few levels, so that the due jobs of each lie together in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// When nothing else is to be done.
    Low,
    /// Most jobs.
    Normal,
    /// Somebody waits for it.
    High,
}

impl Priority {
    /// Every level, from least to most.
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::High];

    /// The name shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    /// The number stored: higher goes first.
    pub fn level(self) -> i32 {
        match self {
            Self::Low => 0,
            Self::Normal => 1,
            Self::High => 2,
        }
    }

    /// The priority of a stored number.
    pub fn of_level(level: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.level() == level)
    }
}
