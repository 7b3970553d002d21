//! A job as a row.

use std::time::Duration;

use domain::{
    Error, Result,
    id::{EventId, JobId},
    job::{JobState, Priority, StoredJob},
};
use sea_orm::QueryResult;
use uuid::Uuid;

use crate::statement::{at, count};

/// The columns, as [`job`] reads them.
pub(super) const COLUMNS: &str = "id, kind, payload, priority, state, run_at, attempts, max_attempts, timeout_ms, \
    dedup_key, event_id, worker, lease_until, fence, stop_asked, errors, created_at, started_at, finished_at";

/// The job whose columns begin at `first`.
pub(super) fn job(row: &QueryResult, first: usize) -> Result<StoredJob> {
    let state: String = at(row, first + 4)?;
    let errors: serde_json::Value = at(row, first + 15)?;
    Ok(StoredJob {
        id: JobId(at(row, first)?),
        kind: at(row, first + 1)?,
        payload: at(row, first + 2)?,
        priority: Priority::of_level(at(row, first + 3)?).unwrap_or(Priority::Normal),
        state: JobState::named(&state).ok_or_else(|| Error::internal(format!("a job is {state:?}")))?,
        run_at: at(row, first + 5)?,
        attempts: small(row, first + 6)?,
        max_attempts: small(row, first + 7)?,
        timeout: Duration::from_millis(count(row, first + 8)?),
        key: at(row, first + 9)?,
        event: at::<Option<Uuid>>(row, first + 10)?.map(EventId),
        worker: at(row, first + 11)?,
        lease_until: at(row, first + 12)?,
        fence: count(row, first + 13)?,
        stop_asked: at(row, first + 14)?,
        errors: serde_json::from_value(errors).map_err(Error::internal)?,
        created_at: at(row, first + 16)?,
        started_at: at(row, first + 17)?,
        finished_at: at(row, first + 18)?,
    })
}

fn small(row: &QueryResult, index: usize) -> Result<u32> {
    count(row, index).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}
