//! One connection, of either engine.

use futures_util::TryStreamExt as _;
use sea_orm::{
    DatabaseConnection, DbErr, ExecResult, QueryResult, RuntimeErr, Values,
    sqlx::{
        self, AssertSqlSafe, Either, Executor as _, Postgres, SqlStr, Sqlite, pool::PoolConnection,
        postgres::PgTransactionManager, sqlite::SqliteQueryResult,
    },
};
use sea_query_sqlx::SqlxValues;
use sqlx_core::transaction::TransactionManager as _;
use tokio::runtime::Handle;

use crate::engine::Engine;

/// A connection that sqlx made; dropped, it goes back to sqlx.
///
/// Every statement is ours and its values are bound, so sqlx is told that its text is safe.
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

    /// Whether it is done with what it was told, and answers.
    pub(crate) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        either!(self, inner => sqlx::Connection::ping(&mut **inner).await)
    }

    /// Gives what the last statement of the text did.
    pub(crate) async fn execute(&mut self, sql: &str, values: Values) -> Result<ExecResult, sqlx::Error> {
        let (sql, values) = (AssertSqlSafe(sql), SqlxValues(values));
        match self {
            Self::Postgres(inner) => sqlx::query_with(sql, values).execute(&mut **inner).await.map(Into::into),
            // sqlx would add up the rows that each of them touched, and for `BEGIN` SQLite tells those of long ago.
            Self::Sqlite(inner) => {
                let mut steps = inner.fetch_many(sqlx::query_with(sql, values));
                let mut last = SqliteQueryResult::default();
                while let Some(step) = steps.try_next().await? {
                    if let Either::Left(done) = step {
                        last = done;
                    }
                }
                Ok(last.into())
            }
        }
    }

    pub(crate) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, sqlx::Error> {
        either!(self, inner => inner.execute(AssertSqlSafe(sql)).await.map(Into::into))
    }

    pub(crate) async fn query_one(&mut self, sql: &str, values: Values) -> Result<Option<QueryResult>, sqlx::Error> {
        let (sql, values) = (AssertSqlSafe(sql), SqlxValues(values));
        either!(self, inner => {
            sqlx::query_with(sql, values).fetch_optional(&mut **inner).await.map(|row| row.map(Into::into))
        })
    }

    pub(crate) async fn query_all(&mut self, sql: &str, values: Values) -> Result<Vec<QueryResult>, sqlx::Error> {
        let (sql, values) = (AssertSqlSafe(sql), SqlxValues(values));
        either!(self, inner => {
            let rows = sqlx::query_with(sql, values).fetch_all(&mut **inner).await?;
            Ok(rows.into_iter().map(Into::into).collect())
        })
    }

    /// Sends the begin of a transaction.
    pub(crate) async fn begin(&mut self, words: &'static str) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(inner) => execute_words(inner, words).await,
            Self::Postgres(inner) => PgTransactionManager::begin(inner, Some(SqlStr::from_static(words))).await,
        }
    }

    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(inner) => execute_words(inner, "COMMIT").await,
            Self::Postgres(inner) => PgTransactionManager::commit(inner).await,
        }
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(inner) => execute_words(inner, "ROLLBACK").await,
            Self::Postgres(inner) => PgTransactionManager::rollback(inner).await,
        }
    }

    /// As [`Connection::abandon`], for a connection that is asked first whether it is done; `None` when it is given up.
    pub(crate) fn abandoned(self) -> Option<Self> {
        match self {
            Self::Postgres(mut inner) => {
                PgTransactionManager::start_rollback(&mut inner);
                Some(Self::Postgres(inner))
            }
            Self::Sqlite(_) => {
                self.abandon();
                None
            }
        }
    }

    /// Leaves a transaction that nobody ended: rolled back, sooner or later, without waiting for it.
    pub(crate) fn abandon(self) {
        match self {
            Self::Sqlite(inner) => {
                let mut undone = Undone(Some(inner));
                if let Ok(runtime) = Handle::try_current() {
                    runtime.spawn(async move { undone.roll_back().await });
                }
            }
            // sqlx rolls back when it gets the connection.
            Self::Postgres(mut inner) => PgTransactionManager::start_rollback(&mut inner),
        }
    }
}

async fn execute_words(on: &mut PoolConnection<Sqlite>, words: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(words).execute(&mut **on).await.map(|_| ())
}

/// A connection to be rolled back before anybody else uses it; closed when that could not be done, which ends what it
/// had begun as well.
struct Undone(Option<PoolConnection<Sqlite>>);

impl Undone {
    async fn roll_back(&mut self) {
        let Some(inner) = &mut self.0 else { return };
        if execute_words(inner, "ROLLBACK").await.is_ok() {
            // It goes back to sqlx.
            self.0 = None;
        }
    }
}

impl Drop for Undone {
    fn drop(&mut self) {
        if let Some(inner) = self.0.take() {
            drop(inner.detach());
        }
    }
}
