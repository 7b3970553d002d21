//! One connection, of either engine.

use sea_orm::{
    DatabaseConnection, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values,
    sqlx::{self, AssertSqlSafe, Database, Executor as _, Postgres, SqlStr, Sqlite, pool::PoolConnection},
};
use sea_query_sqlx::SqlxValues;
use sqlx_core::transaction::TransactionManager as _;

use crate::engine::Engine;

/// A connection that sqlx made; dropped, it goes back to sqlx.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// The same words for either engine.
macro_rules! either {
    ($connection:expr, $inner:ident => $then:expr) => {
        match $connection {
            Connection::Sqlite($inner) => $then,
            Connection::Postgres($inner) => $then,
        }
    };
}

impl Connection {
    pub(crate) async fn of(source: &DatabaseConnection, engine: Engine) -> Result<Self, DbErr> {
        let connection = match engine {
            Engine::Sqlite => source.get_sqlite_connection_pool().acquire().await.map(Self::Sqlite),
            Engine::Postgres => source.get_postgres_connection_pool().acquire().await.map(Self::Postgres),
        };
        connection.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))
    }

    /// One that sqlx keeps and nobody uses.
    pub(crate) fn at_rest(source: &DatabaseConnection, engine: Engine) -> Option<Self> {
        match engine {
            Engine::Sqlite => source.get_sqlite_connection_pool().try_acquire().map(Self::Sqlite),
            Engine::Postgres => source.get_postgres_connection_pool().try_acquire().map(Self::Postgres),
        }
    }

    /// How many are open.
    pub(crate) fn open(source: &DatabaseConnection, engine: Engine) -> u32 {
        match engine {
            Engine::Sqlite => source.get_sqlite_connection_pool().size(),
            Engine::Postgres => source.get_postgres_connection_pool().size(),
        }
    }

    /// Drops it, and its place in the pool of sqlx, as it is.
    pub(crate) fn forget(self) {
        either!(self, inner => drop(inner.detach()));
    }

    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<ExecResult, sqlx::Error> {
        let (sql, values) = parts(statement);
        either!(self, inner => sqlx::query_with(sql, values).execute(&mut **inner).await.map(Into::into))
    }

    pub(crate) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, sqlx::Error> {
        either!(self, inner => inner.execute(AssertSqlSafe(sql)).await.map(Into::into))
    }

    pub(crate) async fn query_one(&mut self, statement: &Statement) -> Result<Option<QueryResult>, sqlx::Error> {
        let (sql, values) = parts(statement);
        either!(self, inner => {
            sqlx::query_with(sql, values).fetch_optional(&mut **inner).await.map(|row| row.map(Into::into))
        })
    }

    pub(crate) async fn query_all(&mut self, statement: &Statement) -> Result<Vec<QueryResult>, sqlx::Error> {
        let (sql, values) = parts(statement);
        either!(self, inner => {
            let rows = sqlx::query_with(sql, values).fetch_all(&mut **inner).await?;
            Ok(rows.into_iter().map(Into::into).collect())
        })
    }

    /// Begins a transaction with the engine's own words for it.
    pub(crate) async fn begin(&mut self, words: &'static str) -> Result<(), sqlx::Error> {
        either!(self, inner => begin(inner, words).await)
    }

    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        either!(self, inner => commit(inner).await)
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        either!(self, inner => rollback(inner).await)
    }

    /// Rolls back without waiting: whoever uses the connection next does.
    pub(crate) fn start_rollback(&mut self) {
        either!(self, inner => start_rollback(inner));
    }
}

async fn begin<DB: Database>(on: &mut PoolConnection<DB>, words: &'static str) -> Result<(), sqlx::Error> {
    DB::TransactionManager::begin(on, Some(SqlStr::from_static(words))).await
}

async fn commit<DB: Database>(on: &mut PoolConnection<DB>) -> Result<(), sqlx::Error> {
    DB::TransactionManager::commit(on).await
}

async fn rollback<DB: Database>(on: &mut PoolConnection<DB>) -> Result<(), sqlx::Error> {
    DB::TransactionManager::rollback(on).await
}

fn start_rollback<DB: Database>(on: &mut PoolConnection<DB>) {
    DB::TransactionManager::start_rollback(on);
}

/// Every statement is ours and its values are bound, so its text is safe.
fn parts(statement: &Statement) -> (AssertSqlSafe<&str>, SqlxValues) {
    let values = statement.values.clone().unwrap_or_else(|| Values(Vec::new()));
    (AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}
