//! Archives of what is kept of people.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    clock::Timestamp,
    id::{ExportId, UserId},
    identity::exports::{
        DataExport, Ready,
        ports::{DataExportQueries, DataExportRepo},
    },
    page::{Page, PageRequest},
};
use sea_orm::QueryResult;

use crate::{
    database::Database,
    paging::{Paged, paged},
    statement::{all, at, execute, one, statement},
    tx::SeaTx,
};

const COLUMNS: &str = "id, user_id, created_at, expires_at, ready_at, bytes, chunks";
const PURGE: &str = "DELETE FROM data_exports WHERE id IN \
    (SELECT id FROM data_exports WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";

#[async_trait]
impl DataExportRepo for SeaTx {
    async fn insert(&mut self, export: &DataExport) -> Result<()> {
        let sql = "INSERT INTO data_exports (id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
        let values = [export.id.0.into(), export.user.0.into(), export.created_at.into(), export.expires_at.into()];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn of(&mut self, user: UserId) -> Result<Vec<DataExport>> {
        if !self.engine.pick("", "lock").is_empty() {
            // What follows sees what whoever held this row did, since each statement looks anew.
            let sql = "SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE";
            one(&self.tx, statement(self.engine, sql, [user.0.into()])).await?;
        }
        let sql = format!("SELECT {COLUMNS} FROM data_exports WHERE user_id = $1 ORDER BY id");
        let rows = all(&self.tx, statement(self.engine, sql, [user.0.into()])).await?;
        rows.iter().map(|row| export(row, 0)).collect()
    }

    async fn find(&mut self, id: ExportId) -> Result<Option<DataExport>> {
        let sql = format!("SELECT {COLUMNS} FROM data_exports WHERE id = $1");
        one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?.map(|row| export(&row, 0)).transpose()
    }

    async fn make_ready(&mut self, id: ExportId, ready: Ready) -> Result<bool> {
        let sql = "UPDATE data_exports SET ready_at = $2, bytes = $3, chunks = $4 WHERE id = $1 AND ready_at IS NULL";
        let bytes = i64::try_from(ready.bytes).map_err(Error::internal)?;
        let values = [id.0.into(), ready.at.into(), bytes.into(), number(ready.chunks)?.into()];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? == 1)
    }

    async fn put_chunk(&mut self, id: ExportId, n: u32, sealed: &[u8]) -> Result<()> {
        let sql = "INSERT INTO data_export_chunks (export_id, n, sealed) VALUES ($1, $2, $3)";
        let values = [id.0.into(), number(n)?.into(), sealed.to_vec().into()];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn delete(&mut self, id: ExportId) -> Result<()> {
        let sql = "DELETE FROM data_exports WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }
}

impl Database {
    /// The read side of archives.
    pub fn exports(&self) -> Arc<dyn DataExportQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl DataExportQueries for Database {
    async fn list(&self, user: UserId, now: Timestamp, page: PageRequest) -> Result<Page<DataExport>> {
        let from = "data_exports WHERE user_id = $3 AND expires_at > $4";
        let listed = Paged { columns: COLUMNS, from, order: "id DESC" };
        paged(self, &listed, vec![user.0.into(), now.into()], page, export).await
    }

    async fn get(&self, user: UserId, id: ExportId, now: Timestamp) -> Result<Option<DataExport>> {
        let sql = format!("SELECT {COLUMNS} FROM data_exports WHERE id = $1 AND user_id = $2 AND expires_at > $3");
        let values = [id.0.into(), user.0.into(), now.into()];
        one(&self.reader, statement(self.engine, sql, values)).await?.map(|row| export(&row, 0)).transpose()
    }

    async fn chunk(&self, id: ExportId, n: u32) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT sealed FROM data_export_chunks WHERE export_id = $1 AND n = $2";
        let row = one(&self.reader, statement(self.engine, sql, [id.0.into(), number(n)?.into()])).await?;
        row.map(|row| at(&row, 0)).transpose()
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
        execute(&self.writer, statement(self.engine, PURGE, [before.into(), i64::from(limit).into()])).await
    }
}

fn number(n: u32) -> Result<i32> {
    i32::try_from(n).map_err(Error::internal)
}

fn export(row: &QueryResult, first: usize) -> Result<DataExport> {
    let ready = match at(row, first + 4)? {
        Some(when) => Some(Ready {
            at: when,
            bytes: u64::try_from(at::<i64>(row, first + 5)?).map_err(Error::internal)?,
            chunks: u32::try_from(at::<i32>(row, first + 6)?).map_err(Error::internal)?,
        }),
        None => None,
    };
    Ok(DataExport {
        id: ExportId(at(row, first)?),
        user: UserId(at(row, first + 1)?),
        created_at: at(row, first + 2)?,
        expires_at: at(row, first + 3)?,
        ready,
    })
}
