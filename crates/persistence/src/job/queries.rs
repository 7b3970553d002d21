//! Jobs as operators see them.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::JobId,
    job::{
        JobState, StoredJob,
        ports::{Depth, JobFilter, JobQueries},
    },
    page::{Page, PageRequest},
};
use sea_orm::Value;
use uuid::Uuid;

use super::row::{COLUMNS, job};
use crate::{
    database::Database,
    statement::{all, at, count, one, statement},
};

impl Database {
    /// The read side of jobs.
    pub fn jobs(&self) -> Arc<dyn JobQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl JobQueries for Database {
    async fn get(&self, id: JobId) -> Result<Option<StoredJob>> {
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = $1");
        let row = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        row.map(|row| job(&row, 0)).transpose()
    }

    async fn list(&self, filter: &JobFilter, page: PageRequest) -> Result<Page<StoredJob>> {
        let offset = i64::try_from(page.offset()).map_err(Error::internal)?;
        let mut values: Vec<Value> = vec![i64::from(page.limit.get()).into(), offset.into()];
        let mut these = vec!["TRUE".to_owned()];
        if let Some(state) = filter.state {
            values.push(state.name().into());
            these.push(format!("state = ${}", values.len()));
        }
        if let Some(kind) = &filter.kind {
            values.push(kind.as_str().into());
            these.push(format!("kind = ${}", values.len()));
        }
        let these = these.join(" AND ");
        // Total and page are of the same moment. The total comes also when the page is behind the last one.
        let sql = format!(
            "SELECT total.n, found.* FROM (SELECT count(*) AS n FROM jobs WHERE {these}) total LEFT JOIN \
             (SELECT {COLUMNS} FROM jobs WHERE {these} ORDER BY id DESC LIMIT $1 OFFSET $2) found ON TRUE \
             ORDER BY found.id DESC"
        );
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        let total = rows.first().map_or(Ok(0), |row| count(row, 0))?;
        let mut jobs = Vec::with_capacity(rows.len());
        for row in &rows {
            if at::<Option<Uuid>>(row, 1)?.is_some() {
                jobs.push(job(row, 1)?);
            }
        }
        Ok(Page::new(jobs, total, page))
    }

    async fn depths(&self, now: Timestamp) -> Result<Vec<Depth>> {
        let sql = "SELECT kind, state, count(*), min(CASE WHEN run_at <= $1 THEN run_at END) FROM jobs \
                   WHERE state IN ('waiting', 'running', 'dead') GROUP BY kind, state ORDER BY kind, state";
        let rows = all(&self.reader, statement(self.engine, sql, [now.into()])).await?;
        let depths = rows.iter().map(|row| {
            let state: String = at(row, 1)?;
            let state = JobState::named(&state).ok_or_else(|| Error::internal(format!("a job is {state:?}")))?;
            Ok(Depth { kind: at(row, 0)?, state, jobs: count(row, 2)?, due_since: at(row, 3)? })
        });
        depths.collect()
    }
}
