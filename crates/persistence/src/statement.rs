//! Hand-written statements, for what an entity cannot say. Values are always bound.

use domain::Result;
use sea_orm::{ConnectionTrait, QueryResult, Statement, TryGetable, Value};

use crate::{engine::Engine, error};

pub(crate) fn statement(engine: Engine, sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(engine.backend(), sql, values)
}

/// Runs a statement and gives the number of rows it touched.
pub(crate) async fn execute(on: &impl ConnectionTrait, statement: Statement) -> Result<u64> {
    on.execute_raw(statement).await.map(|done| done.rows_affected()).map_err(error::of)
}

pub(crate) async fn one(on: &impl ConnectionTrait, statement: Statement) -> Result<Option<QueryResult>> {
    on.query_one_raw(statement).await.map_err(error::of)
}

pub(crate) async fn all(on: &impl ConnectionTrait, statement: Statement) -> Result<Vec<QueryResult>> {
    on.query_all_raw(statement).await.map_err(error::of)
}

/// Reads a column by its place in the row, which costs less than by its name.
pub(crate) fn at<T: TryGetable>(row: &QueryResult, index: usize) -> Result<T> {
    row.try_get_by_index(index).map_err(error::of)
}

/// A count, which the database gives as a signed number.
pub(crate) fn count(row: &QueryResult, index: usize) -> Result<u64> {
    at::<i64>(row, index).map(|n| u64::try_from(n).unwrap_or_default())
}

/// `$first, $first+1, ..`: as many placeholders as asked for.
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    (first..first + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}
