//! Batches of questions and their files.

mod lines;

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    assistant::{
        Usage,
        batches::{
            AssistantFile, Batch, BatchState, Counts, EndedLine, Endpoint, FilePurpose, LineEnd, NewLine, Owner, Times,
            Waiting, WaitingLine,
            ports::{BatchQueries, BatchRepo},
        },
    },
    clock::Timestamp,
    id::{ApiKeyId, AssistantBatchId, AssistantFileId, SellerId, UserId},
};
use sea_orm::{QueryResult, Value};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    assets::{digest, digest_value},
    database::Database,
    statement::{all, at, count, execute, one, statement},
    tx::SeaTx,
};

const FILE: &str = "id, user_id, key_id, purpose, name, digest, size, created_at";
const BATCH: &str = "id, user_id, key_id, seller_id, input_id, output_id, refusals_id, endpoint, state, ending, faults, metadata, \
    round, fence, total, completed, failed, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, created_at, expires_at, \
    began_at, cancelling_at, finalizing_at, ended_at";
const INSERT: &str = "INSERT INTO assistant_batches (id, output_id, refusals_id, state, ending, faults, round, fence, total, completed, \
    failed, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, began_at, cancelling_at, finalizing_at, ended_at, user_id, \
    key_id, seller_id, input_id, endpoint, metadata, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
    $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)";
const UPDATE: &str = "UPDATE assistant_batches SET output_id = $2, refusals_id = $3, state = $4, ending = $5, faults = $6, round = $7, \
    fence = $8, total = $9, completed = $10, failed = $11, prompt_tokens = $12, completion_tokens = $13, cached_tokens = $14, \
    reasoning_tokens = $15, began_at = $16, cancelling_at = $17, finalizing_at = $18, ended_at = $19 WHERE id = $1";

impl Database {
    /// The read side of batches of questions.
    pub fn batches(&self) -> Arc<dyn BatchQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl BatchRepo for SeaTx {
    async fn insert_file(&mut self, file: &AssistantFile) -> Result<()> {
        let sql = format!("INSERT INTO assistant_files ({FILE}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
        let values = [
            file.id.0.into(),
            file.owner.user.0.into(),
            file.owner.key.map(|key| key.0).into(),
            file.purpose.name().into(),
            file.name.as_str().into(),
            digest_value(&file.digest),
            number(file.size)?,
            file.created_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    async fn file(&mut self, id: AssistantFileId) -> Result<Option<AssistantFile>> {
        let lock = self.engine.pick("", " FOR UPDATE");
        let sql = format!("SELECT {FILE} FROM assistant_files WHERE id = $1{lock}");
        one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?.map(|row| file(&row)).transpose()
    }

    async fn delete_file(&mut self, id: AssistantFileId) -> Result<()> {
        let sql = "DELETE FROM assistant_files WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }

    async fn is_read(&mut self, id: AssistantFileId) -> Result<bool> {
        let sql = "SELECT 1 FROM assistant_batches WHERE input_id = $1 AND ended_at IS NULL LIMIT 1";
        Ok(one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?.is_some())
    }

    async fn insert(&mut self, batch: &Batch) -> Result<()> {
        let mut values = changing(batch)?;
        values.extend([
            batch.owner.user.0.into(),
            batch.owner.key.map(|key| key.0).into(),
            batch.seller.map(|seller| seller.0).into(),
            batch.input.0.into(),
            batch.endpoint.path().into(),
            written(&batch.metadata)?.into(),
            batch.times.created_at.into(),
            batch.times.expires_at.into(),
        ]);
        execute(&self.tx, statement(self.engine, INSERT, values)).await.map(|_| ())
    }

    async fn find(&mut self, id: AssistantBatchId) -> Result<Option<Batch>> {
        let lock = self.engine.pick("", " FOR UPDATE");
        let sql = format!("SELECT {BATCH} FROM assistant_batches WHERE id = $1{lock}");
        one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?.map(|row| batch(&row)).transpose()
    }

    async fn update(&mut self, batch: &Batch) -> Result<()> {
        execute(&self.tx, statement(self.engine, UPDATE, changing(batch)?)).await.map(|_| ())
    }

    async fn delete(&mut self, id: AssistantBatchId) -> Result<()> {
        let sql = "DELETE FROM assistant_batches WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into()])).await.map(|_| ())
    }

    async fn put_lines(&mut self, id: AssistantBatchId, lines: &[NewLine]) -> Result<()> {
        lines::put(self, id, lines).await
    }

    async fn put_off(&mut self, id: AssistantBatchId, number: u64, attempts: u32, due: Timestamp) -> Result<()> {
        lines::put_off(self, id, number, attempts, due).await
    }

    async fn end_line(&mut self, id: AssistantBatchId, number: u64, end: &LineEnd) -> Result<bool> {
        lines::end(self, id, Some(number), end).await.map(|ended| ended == 1)
    }

    async fn end_waiting(&mut self, id: AssistantBatchId, end: &LineEnd) -> Result<u64> {
        lines::end(self, id, None, end).await
    }

    async fn forget_lines(&mut self, id: AssistantBatchId) -> Result<()> {
        lines::forget(self, id).await
    }
}

#[async_trait]
impl BatchQueries for Database {
    async fn get_file(&self, id: AssistantFileId) -> Result<Option<AssistantFile>> {
        let sql = format!("SELECT {FILE} FROM assistant_files WHERE id = $1");
        one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?.map(|row| file(&row)).transpose()
    }

    async fn files(
        &self,
        of: Owner,
        purpose: Option<FilePurpose>,
        after: Option<AssistantFileId>,
        is_rising: bool,
        limit: u32,
    ) -> Result<Vec<AssistantFile>> {
        let (mut values, mut fits) = own(of, limit);
        if let Some(purpose) = purpose {
            values.push(purpose.name().into());
            fits = format!("{fits} AND purpose = ${}", values.len());
        }
        let (sign, order) = if is_rising { (">", "") } else { ("<", " DESC") };
        if let Some(after) = after {
            values.push(after.0.into());
            fits = format!("{fits} AND id {sign} ${}", values.len());
        }
        let sql = format!("SELECT {FILE} FROM assistant_files WHERE {fits} ORDER BY id{order} LIMIT $2");
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        rows.iter().map(file).collect()
    }

    async fn get(&self, id: AssistantBatchId) -> Result<Option<Batch>> {
        let sql = format!("SELECT {BATCH} FROM assistant_batches WHERE id = $1");
        one(&self.reader, statement(self.engine, sql, [id.0.into()])).await?.map(|row| batch(&row)).transpose()
    }

    async fn list(&self, of: Owner, after: Option<AssistantBatchId>, limit: u32) -> Result<Vec<Batch>> {
        let (mut values, mut fits) = own(of, limit);
        if let Some(after) = after {
            values.push(after.0.into());
            fits = format!("{fits} AND id < ${}", values.len());
        }
        let sql = format!("SELECT {BATCH} FROM assistant_batches WHERE {fits} ORDER BY id DESC LIMIT $2");
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        rows.iter().map(batch).collect()
    }

    async fn due(&self, id: AssistantBatchId, now: Timestamp, limit: u32) -> Result<Vec<WaitingLine>> {
        lines::due(self, id, now, limit).await
    }

    async fn waiting(&self, id: AssistantBatchId) -> Result<Waiting> {
        lines::waiting(self, id).await
    }

    async fn ended(&self, id: AssistantBatchId, are_answers: bool, after: u64, limit: u32) -> Result<Vec<EndedLine>> {
        lines::ended(self, id, are_answers, after, limit).await
    }

    async fn open(&self, after: Option<AssistantBatchId>, limit: u32) -> Result<Vec<Batch>> {
        // No id is all zeros, so all lie behind it.
        let after = after.map_or_else(Uuid::nil, |after| after.0);
        let sql =
            format!("SELECT {BATCH} FROM assistant_batches WHERE ended_at IS NULL AND id > $1 ORDER BY id LIMIT $2");
        let rows = all(&self.reader, statement(self.engine, sql, [after.into(), i64::from(limit).into()])).await?;
        rows.iter().map(batch).collect()
    }

    async fn ended_before(&self, before: Timestamp, limit: u32) -> Result<Vec<AssistantBatchId>> {
        let sql = "SELECT id FROM assistant_batches WHERE ended_at < $1 ORDER BY ended_at LIMIT $2";
        ids(self, sql, [before.into(), i64::from(limit).into()]).await
    }

    async fn files_before(&self, before: Timestamp, limit: u32) -> Result<Vec<AssistantFileId>> {
        let sql = "SELECT f.id FROM assistant_files f WHERE f.created_at < $1 AND NOT EXISTS (SELECT 1 FROM assistant_batches b \
                   WHERE b.input_id = f.id AND b.ended_at IS NULL) ORDER BY f.created_at LIMIT $2";
        ids(self, sql, [before.into(), i64::from(limit).into()]).await
    }

    async fn of_person(&self, user: UserId, limit: u32) -> Result<(Vec<AssistantBatchId>, Vec<AssistantFileId>)> {
        let values = || [user.0.into(), i64::from(limit).into()];
        let batches = "SELECT id FROM assistant_batches WHERE user_id = $1 ORDER BY id LIMIT $2";
        let files = "SELECT id FROM assistant_files WHERE user_id = $1 ORDER BY id LIMIT $2";
        Ok((ids(self, batches, values()).await?, ids(self, files, values()).await?))
    }
}

/// Whose they are, and how many at most.
fn own(of: Owner, limit: u32) -> (Vec<Value>, String) {
    let mut values: Vec<Value> = vec![of.user.0.into(), i64::from(limit).into()];
    let Some(key) = of.key else { return (values, "user_id = $1".to_owned()) };
    values.push(key.0.into());
    (values, "user_id = $1 AND key_id = $3".to_owned())
}

async fn ids<T: From<Uuid>>(database: &Database, sql: &str, values: [Value; 2]) -> Result<Vec<T>> {
    let rows = all(&database.reader, statement(database.engine, sql, values)).await?;
    rows.iter().map(|row| at::<Uuid>(row, 0).map(T::from)).collect()
}

fn number(value: u64) -> Result<Value> {
    i64::try_from(value).map(Value::from).map_err(Error::internal)
}

fn written(value: &impl Serialize) -> Result<String> {
    // PostgreSQL takes no zero byte, and JSON has none.
    serde_json::to_string(value).map_err(Error::internal)
}

/// Its id and all that changes of it, in the order of [`UPDATE`].
fn changing(batch: &Batch) -> Result<Vec<Value>> {
    let Counts { total, completed, failed } = batch.counts;
    let usage = batch.usage;
    Ok(vec![
        batch.id.0.into(),
        batch.output.map(|file| file.0).into(),
        batch.refusals.map(|file| file.0).into(),
        batch.state.name().into(),
        batch.ending.map(BatchState::name).into(),
        written(&batch.faults)?.into(),
        number(batch.round)?,
        number(batch.fence)?,
        number(total)?,
        number(completed)?,
        number(failed)?,
        number(usage.prompt)?,
        number(usage.completion)?,
        number(usage.cached)?,
        number(usage.reasoning)?,
        batch.times.began_at.into(),
        batch.times.cancelling_at.into(),
        batch.times.finalizing_at.into(),
        batch.times.ended_at.into(),
    ])
}

fn owner(row: &QueryResult) -> Result<Owner> {
    Ok(Owner { user: UserId(at(row, 1)?), key: at::<Option<Uuid>>(row, 2)?.map(ApiKeyId) })
}

fn file(row: &QueryResult) -> Result<AssistantFile> {
    let purpose: String = at(row, 3)?;
    Ok(AssistantFile {
        id: AssistantFileId(at(row, 0)?),
        owner: owner(row)?,
        purpose: FilePurpose::named(&purpose).ok_or_else(|| odd("file", &purpose))?,
        name: at(row, 4)?,
        digest: digest(row, 5)?,
        size: count(row, 6)?,
        created_at: at(row, 7)?,
    })
}

fn state(name: &str) -> Result<BatchState> {
    BatchState::named(name).ok_or_else(|| odd("batch", name))
}

fn odd(what: &str, word: &str) -> Error {
    Error::internal(format!("a {what} of the assistant is {word:?}"))
}

fn batch(row: &QueryResult) -> Result<Batch> {
    let (endpoint, faults, metadata): (String, String, String) = (at(row, 7)?, at(row, 10)?, at(row, 11)?);
    Ok(Batch {
        id: AssistantBatchId(at(row, 0)?),
        owner: owner(row)?,
        seller: at::<Option<Uuid>>(row, 3)?.map(SellerId),
        input: AssistantFileId(at(row, 4)?),
        output: at::<Option<Uuid>>(row, 5)?.map(AssistantFileId),
        refusals: at::<Option<Uuid>>(row, 6)?.map(AssistantFileId),
        endpoint: Endpoint::at(&endpoint).ok_or_else(|| odd("batch", &endpoint))?,
        state: state(&at::<String>(row, 8)?)?,
        ending: at::<Option<String>>(row, 9)?.map(|name| state(&name)).transpose()?,
        faults: serde_json::from_str(&faults).map_err(Error::internal)?,
        metadata: serde_json::from_str(&metadata).map_err(Error::internal)?,
        round: count(row, 12)?,
        fence: count(row, 13)?,
        counts: Counts { total: count(row, 14)?, completed: count(row, 15)?, failed: count(row, 16)? },
        usage: Usage {
            prompt: count(row, 17)?,
            completion: count(row, 18)?,
            cached: count(row, 19)?,
            reasoning: count(row, 20)?,
        },
        times: Times {
            created_at: at(row, 21)?,
            expires_at: at(row, 22)?,
            began_at: at(row, 23)?,
            cancelling_at: at(row, 24)?,
            finalizing_at: at(row, 25)?,
            ended_at: at(row, 26)?,
        },
    })
}
