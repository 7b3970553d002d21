//! Jobs and the inbox, write side.

use async_trait::async_trait;
use domain::{
    Result,
    clock::Timestamp,
    id::JobId,
    job::{
        NewJob, StoredJob,
        ports::{Inbox, JobRepo},
    },
};
use uuid::Uuid;

use super::row::{COLUMNS, job};
use crate::{
    catalog::again_when_broken,
    statement::{execute, one, statement},
    tx::SeaTx,
};

/// A job waits again, unless an unfinished one has its key.
const REVIVE: &str = "UPDATE jobs SET state = 'waiting', run_at = $2, attempts = 0, stop_asked = FALSE, finished_at = NULL \
    WHERE id = $1 AND state NOT IN ('waiting', 'running') AND NOT EXISTS (SELECT 1 FROM jobs other \
    WHERE other.kind = jobs.kind AND other.dedup_key = jobs.dedup_key AND other.state IN ('waiting', 'running'))";
const CANCEL: &str = "UPDATE jobs SET stop_asked = (state = 'running'), \
    finished_at = CASE WHEN state = 'waiting' THEN $2 END, \
    state = CASE WHEN state = 'waiting' THEN 'cancelled' ELSE state END WHERE id = $1 AND state IN ('waiting', 'running')";

#[async_trait]
impl JobRepo for SeaTx {
    async fn enqueue(&mut self, job: &NewJob) -> Result<bool> {
        Ok(self.enqueue_all(std::slice::from_ref(job)).await? > 0)
    }

    async fn is_open(&mut self, kind: &str, key: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM jobs WHERE kind = $1 AND dedup_key = $2 AND state IN ('waiting', 'running')";
        Ok(one(&self.tx, statement(self.engine, sql, [kind.into(), key.into()])).await?.is_some())
    }

    async fn find(&mut self, id: JobId) -> Result<Option<StoredJob>> {
        // SQLite has one writer.
        let lock = self.engine.pick("", " FOR UPDATE");
        let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = $1{lock}");
        let row = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        row.map(|row| job(&row, 0)).transpose()
    }

    async fn revive(&mut self, id: JobId, now: Timestamp) -> Result<bool> {
        let revived = execute(&self.tx, statement(self.engine, REVIVE, [id.0.into(), now.into()])).await;
        // Another one may have taken the key just now; the next attempt sees it.
        let revived = revived.map_err(again_when_broken)? > 0;
        self.has_jobs |= revived;
        Ok(revived)
    }

    async fn cancel(&mut self, id: JobId, now: Timestamp) -> Result<()> {
        execute(&self.tx, statement(self.engine, CANCEL, [id.0.into(), now.into()])).await.map(|_| ())
    }
}

#[async_trait]
impl Inbox for SeaTx {
    async fn claim(&mut self, consumer: &str, message: Uuid, now: Timestamp) -> Result<bool> {
        let sql = "INSERT INTO inbox (consumer, message_id, claimed_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let values = [consumer.into(), message.into(), now.into()];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? > 0)
    }
}
