//! The lines of batches.

use domain::{
    Error, Result,
    assistant::batches::{EndedLine, LineEnd, NewLine, Waiting, WaitingLine},
    clock::Timestamp,
    id::AssistantBatchId,
};
use sea_orm::{QueryResult, Value};
use serde::Serialize;

use super::number;
use crate::{
    bulk::{self, Kind, Table},
    database::Database,
    statement::{all, at, count, execute, one, statement},
    tx::SeaTx,
};

const LINES: Table = Table {
    name: "assistant_batch_lines",
    columns: &[
        ("batch_id", Kind::Id),
        ("number", Kind::Number),
        ("custom_id", Kind::Text),
        ("begins", Kind::Number),
        ("ends", Kind::Number),
    ],
};

#[derive(Serialize)]
struct Row<'a> {
    batch_id: uuid::fmt::Simple,
    number: u64,
    custom_id: &'a str,
    begins: u64,
    ends: u64,
}

pub(super) async fn put(tx: &mut SeaTx, id: AssistantBatchId, lines: &[NewLine]) -> Result<()> {
    forget(tx, id).await?;
    let mut rows = Vec::with_capacity(lines.len());
    for line in lines {
        let (begins, ends) = (line.place.start, line.place.end);
        rows.push(Row { batch_id: bulk::hex(id), number: line.number, custom_id: &line.custom_id, begins, ends });
    }
    LINES.insert(&tx.tx, tx.engine, &rows, "").await.map(|_| ())
}

pub(super) async fn forget(tx: &mut SeaTx, id: AssistantBatchId) -> Result<()> {
    let sql = "DELETE FROM assistant_batch_lines WHERE batch_id = $1";
    execute(&tx.tx, statement(tx.engine, sql, [id.0.into()])).await.map(|_| ())
}

pub(super) async fn put_off(
    tx: &mut SeaTx,
    id: AssistantBatchId,
    line: u64,
    attempts: u32,
    due: Timestamp,
) -> Result<()> {
    let sql = "UPDATE assistant_batch_lines SET attempts = $3, due_at = $4 WHERE batch_id = $1 AND number = $2 AND state = 'waiting'";
    let values = [id.0.into(), number(line)?, i64::from(attempts).into(), due.into()];
    execute(&tx.tx, statement(tx.engine, sql, values)).await.map(|_| ())
}

/// Gives one line its outcome, or all that wait.
pub(super) async fn end(tx: &mut SeaTx, id: AssistantBatchId, line: Option<u64>, end: &LineEnd) -> Result<u64> {
    let (state, status, request, answer) = match end {
        LineEnd::Answered { status, request, body } => {
            let state = if end.is_answer() { "answered" } else { "refused" };
            (state, Some(i64::from(*status)), request, body)
        }
        LineEnd::Unasked { code, message } => ("unasked", None, code, message),
    };
    let mut values: Vec<Value> =
        vec![id.0.into(), state.into(), status.into(), request.as_str().into(), answer.as_str().into()];
    let mut sql = "UPDATE assistant_batch_lines SET state = $2, status = $3, request = $4, answer = $5 \
                   WHERE batch_id = $1 AND state = 'waiting'"
        .to_owned();
    if let Some(line) = line {
        sql.push_str(" AND number = $6");
        values.push(number(line)?);
    }
    execute(&tx.tx, statement(tx.engine, sql, values)).await
}

pub(super) async fn due(
    database: &Database,
    id: AssistantBatchId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<WaitingLine>> {
    let sql = "SELECT number, begins, ends, attempts FROM assistant_batch_lines WHERE batch_id = $1 AND state = 'waiting' \
               AND (due_at IS NULL OR due_at <= $2) ORDER BY number LIMIT $3";
    let values = [id.0.into(), now.into(), i64::from(limit).into()];
    let rows = all(&database.reader, statement(database.engine, sql, values)).await?;
    let read = |row: &QueryResult| -> Result<WaitingLine> {
        let attempts = u32::try_from(count(row, 3)?).map_err(Error::internal)?;
        Ok(WaitingLine { number: count(row, 0)?, place: count(row, 1)?..count(row, 2)?, attempts })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn waiting(database: &Database, id: AssistantBatchId) -> Result<Waiting> {
    let sql = "SELECT due_at, (SELECT count(*) FROM assistant_batch_lines WHERE batch_id = $1 AND state = 'waiting') \
               FROM assistant_batch_lines WHERE batch_id = $1 AND state = 'waiting' ORDER BY due_at NULLS FIRST LIMIT 1";
    match one(&database.reader, statement(database.engine, sql, [id.0.into()])).await? {
        Some(row) => Ok(Waiting { lines: count(&row, 1)?, due: at(&row, 0)? }),
        None => Ok(Waiting::default()),
    }
}

pub(super) async fn ended(
    database: &Database,
    id: AssistantBatchId,
    are_answers: bool,
    after: u64,
    limit: u32,
) -> Result<Vec<EndedLine>> {
    let wanted = if are_answers { "state = 'answered'" } else { "state IN ('refused', 'unasked')" };
    let sql = format!(
        "SELECT number, custom_id, status, request, answer FROM assistant_batch_lines WHERE batch_id = $1 AND number > $2 \
         AND {wanted} ORDER BY number LIMIT $3"
    );
    let values = [id.0.into(), number(after)?, i64::from(limit).into()];
    let rows = all(&database.reader, statement(database.engine, sql, values)).await?;
    let read = |row: &QueryResult| -> Result<EndedLine> {
        let (request, answer): (String, String) = (at(row, 3)?, at(row, 4)?);
        let end = match at::<Option<i64>>(row, 2)? {
            Some(status) => {
                let status = u16::try_from(status).map_err(Error::internal)?;
                LineEnd::Answered { status, request, body: answer }
            }
            None => LineEnd::Unasked { code: request, message: answer },
        };
        Ok(EndedLine { number: count(row, 0)?, custom_id: at(row, 1)?, end })
    };
    rows.iter().map(read).collect()
}
