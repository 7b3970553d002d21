//! A webhook that came in as a row.

use domain::{
    Error, Result,
    id::{HookEventId, JobId, UserId},
    inbound::{HookEvent, HookReport, HookState},
};
use sea_orm::QueryResult;
use uuid::Uuid;

use crate::statement::{at, count};

/// Where an event stands, over `h` and the job `j`: what waits for a job that is none any more has failed.
pub(super) const STATE: &str = "CASE WHEN h.state = 'waiting' AND (j.state IS NULL OR j.state NOT IN ('waiting', 'running')) \
    THEN 'failed' ELSE h.state END";
/// The tables that [`columns`] reads.
pub(super) const FROM: &str = "hook_events h LEFT JOIN jobs j ON j.id = h.job_id";

/// The columns, as [`report`] reads them; `body` is what stands for the body.
pub(super) fn columns(body: &str) -> String {
    format!(
        "h.id, h.source, h.known_by, h.event, h.kind, h.occurred_at, h.received_at, h.headers, h.size, {STATE} AS stands, h.outcome, \
         h.user_id, h.job_id, h.handled_at, h.replays, COALESCE(j.attempts, 0) AS attempts, j.errors AS errors, {body} AS body"
    )
}

/// The event whose columns begin at `first`.
pub(super) fn report(row: &QueryResult, first: usize) -> Result<HookReport> {
    let (headers, state): (String, String) = (at(row, first + 7)?, at(row, first + 9)?);
    let errors: Option<serde_json::Value> = at(row, first + 16)?;
    let event = HookEvent {
        id: HookEventId(at(row, first)?),
        source: at(row, first + 1)?,
        key: at(row, first + 2)?,
        event: at(row, first + 3)?,
        kind: at(row, first + 4)?,
        occurred_at: at(row, first + 5)?,
        received_at: at(row, first + 6)?,
        headers: serde_json::from_str(&headers).map_err(Error::internal)?,
        size: count(row, first + 8)?,
        state: HookState::named(&state).ok_or_else(|| Error::internal(format!("a hook event is {state:?}")))?,
        outcome: at(row, first + 10)?,
        user: at::<Option<Uuid>>(row, first + 11)?.map(UserId),
        job: JobId(at(row, first + 12)?),
        handled_at: at(row, first + 13)?,
        replays: small(row, first + 14)?,
        body: at(row, first + 17)?,
    };
    let errors = errors.map(serde_json::from_value).transpose().map_err(Error::internal)?.unwrap_or_default();
    Ok(HookReport { event, attempts: small(row, first + 15)?, errors })
}

fn small(row: &QueryResult, index: usize) -> Result<u32> {
    count(row, index).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}
