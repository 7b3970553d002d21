//! A transaction on a connection at hand.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use tokio::sync::Mutex;

use crate::{engine::Engine, group::Place, lease::Lease, pool::Pool};

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// On PostgreSQL read committed; on SQLite immediate, so that it cannot fail half way for a lock.
    Write,
    /// Every statement sees the same moment.
    Snapshot,
}

/// Rolled back unless committed.
#[derive(Debug)]
pub(crate) struct Transaction {
    engine: Engine,
    lease: Mutex<Lease>,
    open: bool,
}

impl Pool {
    pub(crate) async fn begin(&self, purpose: Purpose) -> Result<Transaction, DbErr> {
        let engine = self.engine();
        let mut lease = match purpose {
            Purpose::Write => self.lease_as_left().await?,
            Purpose::Snapshot => self.lease().await?,
        };
        lease.begin(purpose).await?;
        Ok(Transaction { engine, lease: Mutex::new(lease), open: true })
    }
}

impl Transaction {
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        self.commit_after(None).await
    }

    /// Commits after one more statement, if there is one; on SQLite in one go, or together with others.
    pub(crate) async fn commit_after(mut self, last: Option<Statement>) -> Result<(), DbErr> {
        let done = self.lease.get_mut().commit(last).await;
        self.open = done.is_err();
        self.end(done?).await
    }

    pub(crate) async fn rollback(mut self) -> Result<(), DbErr> {
        let done = self.lease.get_mut().rollback().await;
        self.open = done.is_err();
        self.end(done?).await
    }

    /// Waits for the commit of others, if there is one to wait for.
    async fn end(self, place: Option<Place>) -> Result<(), DbErr> {
        // The next one has the connection meanwhile.
        drop(self);
        match place {
            Some(place) => place.outcome().await,
            None => Ok(()),
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.open {
            self.lease.get_mut().abandon();
        }
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.engine.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.lease.lock().await.execute(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.lease.lock().await.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.lease.lock().await.query_one(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.lease.lock().await.query_all(statement).await
    }
}
