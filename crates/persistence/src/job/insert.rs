//! Storing jobs.

use domain::{Result, clock::Timestamp, job::NewJob};
use serde::Serialize;
use uuid::fmt::Simple;

use crate::{
    bulk::{
        Kind::{Id, Json, Number, Text, Time},
        Table, hex, time,
    },
    tx::SeaTx,
};

const JOBS: Table = Table {
    name: "jobs",
    columns: &[
        ("id", Id),
        ("kind", Text),
        ("payload", Json),
        ("priority", Number),
        ("state", Text),
        ("run_at", Time),
        ("max_attempts", Number),
        ("timeout_ms", Number),
        ("dedup_key", Text),
        ("event_id", Id),
        ("created_at", Time),
    ],
};

/// A row of [`JOBS`].
#[derive(Serialize)]
struct JobRow<'a> {
    id: Simple,
    kind: &'a str,
    payload: &'a serde_json::Value,
    priority: i32,
    state: &'static str,
    #[serde(serialize_with = "time")]
    run_at: Timestamp,
    max_attempts: u32,
    timeout_ms: u64,
    dedup_key: Option<&'a str>,
    event_id: Option<Simple>,
    #[serde(serialize_with = "time")]
    created_at: Timestamp,
}

impl<'a> JobRow<'a> {
    fn of(job: &'a NewJob) -> Self {
        Self {
            id: hex(job.id),
            kind: &job.kind,
            payload: &job.payload,
            priority: job.priority.level(),
            state: "waiting",
            run_at: job.run_at,
            max_attempts: job.max_attempts,
            timeout_ms: u64::try_from(job.timeout.as_millis()).unwrap_or(u64::MAX),
            dedup_key: job.key.as_deref(),
            event_id: job.event.map(hex),
            created_at: job.created_at,
        }
    }
}

impl SeaTx {
    /// Stores jobs and gives how many; those whose key an unfinished one has are left out.
    pub(crate) async fn enqueue_all(&mut self, jobs: &[NewJob]) -> Result<u64> {
        let rows: Vec<_> = jobs.iter().map(JobRow::of).collect();
        let stored = JOBS.insert(&self.tx, self.engine, &rows, "ON CONFLICT DO NOTHING").await?;
        self.has_jobs |= stored > 0;
        Ok(stored)
    }
}
