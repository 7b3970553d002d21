//! Uploads in portions.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    assets::{
        Digest,
        uploads::{
            Part, Resumable, UploadState,
            ports::{UploadQueries, UploadRepo},
        },
    },
    clock::Timestamp,
    id::{SellerId, UploadId, UserId},
};
use sea_orm::{QueryResult, Value};

use super::blobs::{bytes, digest};
use crate::{
    database::Database,
    statement::{all, at, count, execute, one, statement},
    tx::SeaTx,
};

const COLUMNS: &str = "id, user_id, seller_id, purpose, length, position, state, outcome, created_at, expires_at";
const INSERT: &str = "INSERT INTO uploads (id, user_id, seller_id, purpose, length, position, state, outcome, created_at, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

#[async_trait]
impl UploadRepo for SeaTx {
    async fn insert(&mut self, upload: &Resumable) -> Result<()> {
        let values = [
            upload.id.0.into(),
            upload.by.0.into(),
            upload.seller.0.into(),
            serde_json::to_string(&upload.purpose).map_err(Error::internal)?.into(),
            size(upload.length)?,
            size(upload.offset)?,
            upload.state.name().into(),
            outcome(upload)?,
            upload.created_at.into(),
            upload.expires_at.into(),
        ];
        execute(&self.tx, statement(self.engine, INSERT, values)).await.map(|_| ())
    }

    async fn find(&mut self, id: UploadId) -> Result<Option<Resumable>> {
        let lock = self.engine.pick("", "FOR UPDATE");
        let sql = format!("SELECT {COLUMNS} FROM uploads WHERE id = $1 {lock}");
        one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?.as_ref().map(upload).transpose()
    }

    async fn update(&mut self, upload: &Resumable) -> Result<()> {
        let sql = "UPDATE uploads SET position = $2, state = $3, outcome = $4, expires_at = $5 WHERE id = $1";
        let values = [
            upload.id.0.into(),
            size(upload.offset)?,
            upload.state.name().into(),
            outcome(upload)?,
            upload.expires_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn open_of(&mut self, user: UserId) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM uploads WHERE user_id = $1 AND state IN ('receiving', 'finishing')";
        let row = one(&self.tx, statement(self.engine, sql, [user.0.into()])).await?;
        row.map_or(Ok(0), |row| count(&row, 0))
    }

    async fn add_part(&mut self, id: UploadId, part: &Part) -> Result<()> {
        let sql = "INSERT INTO upload_parts (upload_id, position, digest, size) VALUES ($1, $2, $3, $4)";
        let values = [id.0.into(), size(part.offset)?, bytes(&part.kept.digest()), size(part.kept.size)?];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn take_parts(&mut self, id: UploadId) -> Result<Vec<Digest>> {
        let sql = "DELETE FROM upload_parts WHERE upload_id = $1 RETURNING digest";
        let rows = all(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        let mut digests = rows.iter().map(|row| digest(row, 0)).collect::<Result<Vec<_>>>()?;
        digests.sort_unstable();
        Ok(digests)
    }

    async fn delete(&mut self, id: UploadId) -> Result<()> {
        let sql = "DELETE FROM uploads WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }

    async fn expired(&mut self, before: Timestamp, limit: u32) -> Result<Vec<Resumable>> {
        let lock = self.engine.pick("", "FOR UPDATE SKIP LOCKED");
        let sql =
            format!("SELECT {COLUMNS} FROM uploads WHERE expires_at < $1 ORDER BY expires_at, id LIMIT $2 {lock}");
        let rows = all(&self.tx, statement(self.engine, sql, [before.into(), i64::from(limit).into()])).await?;
        rows.iter().map(upload).collect()
    }
}

impl Database {
    /// The read side of uploads.
    pub fn uploads(&self) -> Arc<dyn UploadQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl UploadQueries for Database {
    async fn get(&self, id: UploadId) -> Result<Option<Resumable>> {
        let sql = format!("SELECT {COLUMNS} FROM uploads WHERE id = $1");
        one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?.as_ref().map(upload).transpose()
    }

    async fn parts(&self, id: UploadId) -> Result<Vec<(Digest, u64)>> {
        let sql = "SELECT digest, size FROM upload_parts WHERE upload_id = $1 ORDER BY position";
        let rows = all(&self.reader, statement(self.engine, sql, [id.0.into()])).await?;
        rows.iter().map(|row| Ok((digest(row, 0)?, count(row, 1)?))).collect()
    }

    async fn finishing(&self, limit: u32) -> Result<Vec<UploadId>> {
        let sql = "SELECT id FROM uploads WHERE state = 'finishing' ORDER BY id LIMIT $1";
        let rows = all(&self.reader, statement(self.engine, sql, [i64::from(limit).into()])).await?;
        rows.iter().map(|row| Ok(UploadId(at(row, 0)?))).collect()
    }
}

fn size(size: u64) -> Result<Value> {
    i64::try_from(size).map(Value::from).map_err(Error::internal)
}

fn outcome(upload: &Resumable) -> Result<Value> {
    let text = upload.outcome.as_ref().map(serde_json::to_string).transpose().map_err(Error::internal)?;
    Ok(text.into())
}

fn upload(row: &QueryResult) -> Result<Resumable> {
    let (purpose, state, outcome): (String, String, Option<String>) = (at(row, 3)?, at(row, 6)?, at(row, 7)?);
    Ok(Resumable {
        id: UploadId(at(row, 0)?),
        by: UserId(at(row, 1)?),
        seller: SellerId(at(row, 2)?),
        purpose: serde_json::from_str(&purpose).map_err(Error::internal)?,
        length: count(row, 4)?,
        offset: count(row, 5)?,
        state: UploadState::named(&state).ok_or_else(|| Error::internal(format!("an upload is {state:?}")))?,
        outcome: outcome.as_deref().map(serde_json::from_str).transpose().map_err(Error::internal)?,
        created_at: at(row, 8)?,
        expires_at: at(row, 9)?,
    })
}
