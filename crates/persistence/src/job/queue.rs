//! The queue of jobs as workers see it.
//!
//! Every statement stands alone: on PostgreSQL workers pass by each other's rows (`SKIP LOCKED`), on SQLite there is one
//! writer. Whether anything is due is asked of the readers first, so that an idle worker holds up no writer.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::JobId,
    job::{
        Settled, StoredJob,
        ports::{Ask, Attempt, JobQueue, levels},
    },
};
use sea_orm::Value;
use serde_json::json;

use super::row::{COLUMNS, job};
use crate::{
    bulk,
    database::Database,
    engine::Engine,
    statement::{all, at, count, execute, one, statement},
};

/// Since when something is due of each kind and priority.
const DUE_SQLITE: &str = "SELECT row.value ->> 'kind', row.value ->> 'level', (SELECT min(run_at) FROM jobs \
    WHERE state = 'waiting' AND kind = row.value ->> 'kind' AND priority = row.value ->> 'level') FROM json_each($1) AS row";
const DUE_POSTGRES: &str = "SELECT row.kind, row.level, (SELECT min(run_at) FROM jobs \
    WHERE state = 'waiting' AND kind = row.kind AND priority = row.level) \
    FROM jsonb_to_recordset($1::jsonb) AS row (kind text, level integer)";

/// Attempts that are the latest of their jobs, as `$1`.
const HELD_SQLITE: &str = "state = 'running' AND (id, fence) IN \
    (SELECT unhex(value ->> 'job'), value ->> 'fence' FROM json_each($1))";
const HELD_POSTGRES: &str = "state = 'running' AND (id, fence) IN \
    (SELECT job, fence FROM jsonb_to_recordset($1::jsonb) AS row (job uuid, fence bigint))";

const SETTLE: &str = "UPDATE jobs SET state = CASE WHEN $3 = 'waiting' AND stop_asked THEN 'cancelled' ELSE $3 END, \
    finished_at = CASE WHEN $3 = 'waiting' AND NOT stop_asked THEN NULL ELSE $6 END, \
    run_at = coalesce($4, run_at), errors = coalesce($5, errors), worker = NULL, lease_until = NULL \
    WHERE id = $1 AND fence = $2 AND state = 'running'";

const PURGE: &str = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at IS NOT NULL \
    AND (state IN ('done', 'cancelled') AND finished_at < $1 OR state = 'dead' AND finished_at < $2) LIMIT $3)";
/// What was claimed for a job, or for an event whose job, that is gone.
const PURGE_INBOX: &str = "DELETE FROM inbox WHERE (consumer, message_id) IN (SELECT consumer, message_id FROM inbox \
    WHERE claimed_at < $1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = inbox.message_id) \
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.event_id = inbox.message_id) LIMIT $2)";
const PURGE_RUNS: &str = "DELETE FROM schedule_runs WHERE (name, tick) IN (SELECT name, tick FROM schedule_runs \
    WHERE tick < $1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = schedule_runs.job_id) LIMIT $2)";

impl Database {
    /// The queue of jobs.
    pub fn job_queue(&self) -> Arc<dyn JobQueue> {
        Arc::new(self.clone())
    }

    /// The kinds and priorities of which something is due: higher priorities first, then what is due for longest.
    async fn due(&self, ask: &Ask) -> Result<Vec<(String, i32)>> {
        let wanted: Vec<_> =
            levels(ask).map(|(kind, priority)| json!({ "kind": kind, "level": priority.level() })).collect();
        let sql = self.engine.pick(DUE_SQLITE, DUE_POSTGRES);
        let mut due = Vec::new();
        for row in all(&self.reader, statement(self.engine, sql, [bulk::json(&wanted)?])).await? {
            if let Some(since) = at::<Option<Timestamp>>(&row, 2)?.filter(|since| *since <= ask.now) {
                let level = i32::try_from(at::<i64>(&row, 1).or_else(|_| at::<i32>(&row, 1).map(i64::from))?);
                due.push((std::cmp::Reverse(level.map_err(Error::internal)?), since, at::<String>(&row, 0)?));
            }
        }
        due.sort();
        Ok(due.into_iter().map(|(level, _, kind)| (kind, level.0)).collect())
    }

    /// Runs a statement that takes the jobs of a list of ids `picked`, and gives them as they are then.
    async fn taken(&self, picked: &str, set: &str, values: Vec<Value>) -> Result<Vec<StoredJob>> {
        let lock = self.engine.pick("", "FOR UPDATE SKIP LOCKED");
        // Materialised, because PostgreSQL might look twice otherwise and take more than the limit.
        let sql = format!(
            "WITH picked AS MATERIALIZED ({picked} {lock}) UPDATE jobs SET {set} \
             WHERE id IN (SELECT id FROM picked) RETURNING {COLUMNS}"
        );
        all(&self.writer, statement(self.engine, sql, values)).await?.iter().map(|row| job(row, 0)).collect()
    }

    fn held(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite => HELD_SQLITE,
            Engine::Postgres => HELD_POSTGRES,
        }
    }
}

fn attempts(held: &[Attempt]) -> Result<Value> {
    let held: Vec<_> = held.iter().map(|one| json!({ "job": bulk::hex(one.job), "fence": one.fence })).collect();
    bulk::json(&held)
}

#[async_trait]
impl JobQueue for Database {
    async fn take(&self, ask: &Ask) -> Result<Vec<StoredJob>> {
        let mut taken: Vec<StoredJob> = Vec::new();
        if ask.most == 0 {
            return Ok(taken);
        }
        for (kind, level) in self.due(ask).await? {
            let free = ask.free.iter().find(|(known, _)| *known == kind).map_or(0, |(_, free)| *free);
            let of_kind = taken.iter().filter(|job| job.kind == kind).count();
            let room = usize::try_from(ask.most).unwrap_or(usize::MAX).saturating_sub(taken.len());
            let places = usize::try_from(free).unwrap_or(usize::MAX).saturating_sub(of_kind).min(room);
            if places == 0 {
                continue;
            }
            let picked = "SELECT id FROM jobs WHERE state = 'waiting' AND kind = $1 AND priority = $2 AND run_at <= $3 \
                          ORDER BY run_at, id LIMIT $4";
            let set = "state = 'running', attempts = attempts + 1, fence = fence + 1, worker = $5, lease_until = $6, \
                       started_at = $3";
            let places = i64::try_from(places).unwrap_or(i64::MAX);
            let values = vec![
                kind.into(),
                level.into(),
                ask.now.into(),
                places.into(),
                ask.worker.as_str().into(),
                ask.until.into(),
            ];
            match self.taken(picked, set, values).await {
                Ok(mut more) => {
                    more.sort_by_key(|job| (job.run_at, job.id));
                    taken.append(&mut more);
                }
                // Those taken before are ours; the next ask tells what is wrong, if it still is.
                Err(_) if !taken.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    async fn take_over(&self, worker: &str, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<StoredJob>> {
        let any = "SELECT 1 FROM jobs WHERE state = 'running' AND lease_until <= $1 LIMIT 1";
        if one(&self.reader, statement(self.engine, any, [now.into()])).await?.is_none() {
            return Ok(Vec::new());
        }
        let picked =
            "SELECT id FROM jobs WHERE state = 'running' AND lease_until <= $1 ORDER BY lease_until, id LIMIT $2";
        let values = vec![now.into(), i64::from(limit).into(), worker.into(), until.into()];
        self.taken(picked, "fence = fence + 1, worker = $3, lease_until = $4", values).await
    }

    async fn extend(&self, held: &[Attempt], until: Timestamp) -> Result<Vec<(Attempt, bool)>> {
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("UPDATE jobs SET lease_until = $2 WHERE {} RETURNING id, fence, stop_asked", self.held());
        let kept = all(&self.writer, statement(self.engine, sql, [attempts(held)?, until.into()])).await?;
        let kept = kept.iter().map(|row| Ok((Attempt { job: JobId(at(row, 0)?), fence: count(row, 1)? }, at(row, 2)?)));
        kept.collect()
    }

    async fn settle(&self, attempt: Attempt, settled: &Settled, now: Timestamp) -> Result<bool> {
        let (state, again, errors) = match settled {
            Settled::Done => ("done", None, None),
            Settled::Cancelled => ("cancelled", None, None),
            Settled::Dead { errors } => ("dead", None, Some(errors)),
            Settled::Again { at, errors } => ("waiting", Some(*at), Some(errors)),
        };
        let errors = errors.map(serde_json::to_value).transpose().map_err(Error::internal)?;
        let fence = i64::try_from(attempt.fence).map_err(Error::internal)?;
        let values = [attempt.job.0.into(), fence.into(), state.into(), again.into(), errors.into(), now.into()];
        Ok(execute(&self.writer, statement(self.engine, SETTLE, values)).await? > 0)
    }

    async fn release(&self, held: &[Attempt], now: Timestamp) -> Result<u64> {
        if held.is_empty() {
            return Ok(0);
        }
        let sql = format!(
            "UPDATE jobs SET state = CASE WHEN stop_asked THEN 'cancelled' ELSE 'waiting' END, \
             finished_at = CASE WHEN stop_asked THEN $2 END, attempts = attempts - 1, worker = NULL, lease_until = NULL \
             WHERE {}",
            self.held()
        );
        execute(&self.writer, statement(self.engine, sql, [attempts(held)?, now.into()])).await
    }

    async fn purge(&self, done: Option<Timestamp>, dead: Option<Timestamp>, limit: u32) -> Result<u64> {
        let never = Timestamp::UNIX_EPOCH;
        let limit = i64::from(limit);
        let values = [done.unwrap_or(never).into(), dead.unwrap_or(never).into(), limit.into()];
        let gone = execute(&self.writer, statement(self.engine, PURGE, values)).await?;
        if let Some(done) = done {
            for sql in [PURGE_INBOX, PURGE_RUNS] {
                execute(&self.writer, statement(self.engine, sql, [done.into(), limit.into()])).await?;
            }
        }
        Ok(gone)
    }
}
