//! The wish that a job be done, and the job it becomes.

use std::time::Duration;

use serde_json::Value;

use super::{Job, Policy, Priority};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{EventId, JobId},
    shop::Shop,
    store::Tx,
};

/// What is to be done. It has neither id nor time yet, so that pure rules can wish for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The kind.
    pub kind: &'static str,
    /// What the handler must know.
    pub payload: Value,
    /// How it is run.
    pub policy: Policy,
    /// While a job of this kind and key is unfinished, another one is not stored.
    pub key: Option<String>,
    /// How long to wait before the first attempt.
    pub delay: Duration,
}

impl Request {
    /// That this job be done, as soon as may be.
    pub fn of<J: Job>(job: &J) -> Self {
        Self { kind: J::NAME, payload: job.payload(), policy: J::policy(), key: None, delay: Duration::ZERO }
    }

    /// Only if no unfinished job of the kind has this key.
    #[must_use]
    pub fn keyed(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Not before `delay` is over.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The job it becomes.
    pub fn into_job(self, id: JobId, now: Timestamp, event: Option<EventId>) -> NewJob {
        NewJob {
            id,
            kind: self.kind.to_owned(),
            payload: self.payload,
            priority: self.policy.priority,
            run_at: now + self.delay,
            max_attempts: self.policy.attempts.max(1),
            timeout: self.policy.timeout,
            key: self.key,
            event,
            created_at: now,
        }
    }
}

/// A job to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// What the handler must know.
    pub payload: Value,
    /// Which of several due jobs go first.
    pub priority: Priority,
    /// Not before this moment.
    pub run_at: Timestamp,
    /// After so many failed attempts it is dead.
    pub max_attempts: u32,
    /// How long one attempt may take; whole milliseconds are kept.
    pub timeout: Duration,
    /// Unique among the unfinished jobs of the kind.
    pub key: Option<String>,
    /// The event it is the reaction to.
    pub event: Option<EventId>,
    /// When it was stored.
    pub created_at: Timestamp,
}

impl Shop {
    /// Stores a job in the transaction of what wants it done. `None` when an unfinished job of the kind has the same key.
    pub async fn enqueue(&self, tx: &mut dyn Tx, request: Request) -> Result<Option<JobId>> {
        let job = request.into_job(self.id(), self.now(), None);
        Ok(tx.jobs().enqueue(&job).await?.then_some(job.id))
    }
}
