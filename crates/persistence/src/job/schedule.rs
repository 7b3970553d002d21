//! The schedule: how far it was looked at, and what was run.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::JobId,
    job::JobState,
    schedule::{Run, ScheduleQueries, ScheduleRepo},
};

use crate::{
    database::Database,
    statement::{all, at, execute, statement},
    tx::SeaTx,
};

#[async_trait]
impl ScheduleRepo for SeaTx {
    async fn advance(&mut self, name: &str, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<bool> {
        let moved = match (from, to) {
            (None, None) => return Ok(false),
            (None, Some(to)) => {
                let sql = "INSERT INTO schedules (name, looked_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
                statement(self.engine, sql, [name.into(), to.into()])
            }
            // Who comes second waits for the first to commit, and then finds the row changed.
            (Some(from), Some(to)) => {
                let sql = "UPDATE schedules SET looked_at = $2 WHERE name = $1 AND looked_at = $3";
                statement(self.engine, sql, [name.into(), to.into(), from.into()])
            }
            (Some(from), None) => {
                let sql = "DELETE FROM schedules WHERE name = $1 AND looked_at = $2";
                statement(self.engine, sql, [name.into(), from.into()])
            }
        };
        Ok(execute(&self.tx, moved).await? > 0)
    }

    async fn record(&mut self, run: &Run) -> Result<bool> {
        let sql =
            "INSERT INTO schedule_runs (name, tick, by_hand, job_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let values = [run.name.as_str().into(), run.tick.into(), run.by_hand.into(), run.job.0.into()];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? > 0)
    }
}

impl Database {
    /// The read side of the schedule.
    pub fn schedules(&self) -> Arc<dyn ScheduleQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl ScheduleQueries for Database {
    async fn looked_at(&self) -> Result<BTreeMap<String, Timestamp>> {
        let rows = all(&self.reader, statement(self.engine, "SELECT name, looked_at FROM schedules", [])).await?;
        rows.iter().map(|row| Ok((at(row, 0)?, at(row, 1)?))).collect()
    }

    async fn runs(&self, name: &str, limit: u32) -> Result<Vec<Run>> {
        let sql = "SELECT r.name, r.tick, r.by_hand, r.job_id, j.state, j.finished_at FROM schedule_runs r \
                   LEFT JOIN jobs j ON j.id = r.job_id WHERE r.name = $1 ORDER BY r.tick DESC LIMIT $2";
        let rows = all(&self.reader, statement(self.engine, sql, [name.into(), i64::from(limit).into()])).await?;
        let runs = rows.iter().map(|row| {
            let state: Option<String> = at(row, 4)?;
            let state = state
                .map(|state| JobState::named(&state).ok_or_else(|| Error::internal(format!("a job is {state:?}"))));
            Ok(Run {
                name: at(row, 0)?,
                tick: at(row, 1)?,
                by_hand: at(row, 2)?,
                job: JobId(at(row, 3)?),
                state: state.transpose()?,
                finished_at: at(row, 5)?,
            })
        });
        runs.collect()
    }
}
