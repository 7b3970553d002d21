//! Background jobs: work that is stored in the transaction which wants it done, and done later, at least once.
//!
//! A job is typed by [`Job`] and wanted by a [`Request`]. Workers take what is due from the [`JobQueue`](ports::JobQueue)
//! for a while (a lease), and tell how the attempt ended. A worker that slept through its lease is fenced off by the
//! number of its attempt. What a job does must be done once: its handler claims the job in the [`Inbox`](ports::Inbox) of
//! its own transaction.

mod backoff;
mod cancel_job;
mod events;
mod failure;
mod kind;
pub mod ports;
mod reactions;
mod request;
mod retry_job;
mod settle;
mod stored;

pub use backoff::Backoff;
pub use cancel_job::cancel_job;
pub(crate) use events::{reindexed, requested};
pub use failure::Failure;
pub use kind::{Job, Policy, Priority};
pub use reactions::{Reaction, Reactions};
pub use request::{NewJob, Request};
pub use retry_job::retry_job;
pub use settle::{Outcome, Settled, settle};
pub use stored::{ERRORS, FailedAttempt, JobState, StoredJob};

/// The topic on the bus that tells workers of jobs that were stored. No payload: the queue says what is due.
pub const ENQUEUED: &str = "jobs.enqueued";
