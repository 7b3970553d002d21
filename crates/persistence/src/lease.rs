//! A connection that is ours until dropped.

use std::{borrow::Cow, sync::Arc, thread::ThreadId, time::Instant};

use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values, sqlx};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    connection::Connection,
    engine::Engine,
    group::{self, Group, Place},
    mending::mend,
    observe::observe,
    pool::{Idle, Shared},
    pulse,
    transaction::Purpose,
};

/// Taken from a pool, and given back by dropping it.
#[derive(Debug)]
pub(crate) struct Lease {
    /// Taken out by whoever ends the lease.
    connection: Option<Connection>,
    /// The thread whose runtime watches the socket, when there is one: used on another, each answer wakes both.
    home: Option<ThreadId>,
    state: State,
    /// The begin of a transaction, to go with its first statement.
    due: Option<&'static str>,
    /// Whether the transaction may be left open for others to join.
    shares: bool,
    /// Those who are done in the transaction that is open already.
    group: Group,
    shared: Arc<Shared>,
    place: Option<OwnedSemaphorePermit>,
}

/// What is known of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its last statement ended.
    Sound,
    /// Something was begun that has not ended, and whoever waited for it may have gone away.
    UnderWay,
    /// Its last statement failed.
    InDoubt,
    /// The database is not at the other end.
    Broken,
}

impl Lease {
    pub(crate) fn of(idle: Idle, shared: Arc<Shared>, place: OwnedSemaphorePermit) -> Self {
        let Idle { connection, home, group, .. } = idle;
        let (connection, place) = (Some(connection), Some(place));
        Self { connection, home, state: State::Sound, due: None, shares: false, group, shared, place }
    }

    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.send(statement, "", async |on, sql, values| on.execute(sql, values).await).await.map_err(exec)
    }

    pub(crate) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        self.begin_now().await?;
        let done = self.asking(async |on| on.execute_unprepared(sql).await).await;
        done.map_err(exec)
    }

    pub(crate) async fn query_one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.send(statement, "", async |on, sql, values| on.query_one(sql, values).await).await.map_err(query)
    }

    pub(crate) async fn query_all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.send(statement, "", async |on, sql, values| on.query_all(sql, values).await).await.map_err(query)
    }

    /// Begins a transaction, on SQLite with its first statement and within the one that others left open.
    pub(crate) async fn begin(&mut self, purpose: Purpose) -> Result<(), DbErr> {
        let engine = self.shared.engine;
        self.shares = engine == Engine::Sqlite && purpose == Purpose::Write;
        self.due = Some(match (engine, purpose) {
            (Engine::Sqlite, Purpose::Write) if self.is_member() => group::BEGIN,
            (Engine::Sqlite, Purpose::Write) => "BEGIN IMMEDIATE",
            // In WAL mode every read transaction is a snapshot.
            (Engine::Sqlite, Purpose::Snapshot) | (Engine::Postgres, Purpose::Write) => "BEGIN",
            (Engine::Postgres, Purpose::Snapshot) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        });
        match engine {
            Engine::Sqlite => Ok(()),
            Engine::Postgres => self.begin_now().await,
        }
    }

    async fn begin_now(&mut self) -> Result<(), DbErr> {
        let Some(words) = self.due.take() else { return Ok(()) };
        self.asking(async |on| on.begin(words).await).await.map_err(exec)
    }

    /// Whether the transaction is a part of one that others left open.
    pub(crate) fn is_member(&self) -> bool {
        !self.group.is_empty()
    }

    /// Commits after one more statement, if there is one; or leaves that to be done together with others, and gives the
    /// place to wait at, once the lease has ended.
    pub(crate) async fn commit(&mut self, last: Option<Statement>) -> Result<Option<Place>, DbErr> {
        if last.is_none() && self.due.take().is_some() {
            // Nothing was sent, so nothing is open.
            return Ok(None);
        }
        let first = !self.is_member();
        // The commit of others is not for one to send who may go away meanwhile.
        let leaves = !first || self.shares && self.shared.is_wanted();
        if !leaves {
            return self.commit_alone(last).await.map(|()| None);
        }
        match last {
            Some(last) => {
                let end = if first { "" } else { group::THEN_LEAVE };
                let sent = self.send(last, end, async |on, sql, values| on.execute(sql, values).await);
                sent.await.map_err(exec)?;
            }
            None if first => (),
            None => self.execute_unprepared(group::LEAVE).await.map(|_| ())?,
        }
        if first {
            self.shared.commit_soon();
        }
        Ok(Some(self.group.join()))
    }

    async fn commit_alone(&mut self, last: Option<Statement>) -> Result<(), DbErr> {
        match (last, self.shared.engine) {
            (Some(last), Engine::Sqlite) => {
                let sent = self.send(last, "; COMMIT", async |on, sql, values| on.execute(sql, values).await);
                return sent.await.map(|_| ()).map_err(exec);
            }
            (Some(last), Engine::Postgres) => self.execute(last).await.map(|_| ())?,
            (None, _) => (),
        }
        self.asking(async |on| on.commit().await).await.map_err(exec)
    }

    /// Undoes the transaction. One that saw what others left to be committed gives a place to wait at too: an answer
    /// that tells of it must not be given before.
    pub(crate) async fn rollback(&mut self) -> Result<Option<Place>, DbErr> {
        if self.due.take().is_some() {
            return Ok(None);
        }
        if self.is_member() {
            self.execute_unprepared(group::UNDO).await?;
            return Ok(Some(self.group.join()));
        }
        self.asking(async |on| on.rollback().await).await.map(|()| None).map_err(exec)
    }

    /// Leaves a transaction that was begun and not ended.
    pub(crate) fn abandon(&mut self) {
        if self.due.take().is_some() {
            return;
        }
        let Some(connection) = self.connection.take() else { return };
        if !self.is_member() {
            if self.state == State::Broken {
                connection.forget();
            } else if let Some(connection) = connection.abandoned() {
                mend(connection, &self.shared, self.place.take());
            }
            return;
        }
        let lease = Self {
            connection: Some(connection),
            home: self.home,
            state: State::InDoubt,
            due: None,
            shares: false,
            group: std::mem::take(&mut self.group),
            shared: Arc::clone(&self.shared),
            place: self.place.take(),
        };
        // Should that runtime have ended, the lease is dropped, and its group is told.
        self.shared.runtime.spawn(lease.undo_member());
    }

    /// Takes back what one member did, and keeps what the others did.
    async fn undo_member(mut self) {
        match self.asking(async |on| on.execute_unprepared(group::UNDO).await).await {
            // Either that one was done and went away right then, or SQLite has undone all by itself, as it does when the
            // disk is full; the commit knows.
            Err(error) if group::had_left(&error) => drop(self.settled().await),
            // Sound, it goes back to the pool with its group; in doubt, it ends with it.
            _ => (),
        }
    }

    /// Commits what others left to be committed.
    pub(crate) async fn settled(mut self) -> Self {
        if self.group.is_empty() {
            return self;
        }
        let group = std::mem::take(&mut self.group);
        let outcome = self.asking(async |on| on.commit().await).await;
        if outcome.is_err()
            && let Some(connection) = self.connection.take()
        {
            connection.abandon();
        }
        group.tell(outcome);
        self
    }

    /// Sends a statement, on SQLite with the words that begin or end its transaction: several in one text are one
    /// round trip to the thread that has the connection.
    async fn send<T>(
        &mut self,
        statement: Statement,
        end: &'static str,
        ask: impl AsyncFnOnce(&mut Connection, &str, Values) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let Statement { sql, values, .. } = statement;
        let values = values.unwrap_or_else(|| Values(Vec::new()));
        let parameters = values.0.len();
        let text = match self.due.take() {
            Some(begin) => Cow::Owned(format!("{begin}; {sql}{end}")),
            None if end.is_empty() => Cow::Borrowed(sql.as_str()),
            None => Cow::Owned(format!("{sql}{end}")),
        };
        let started = Instant::now();
        let answer = self.asking(async |on| ask(on, &text, values).await).await;
        observe(&sql, parameters, started.elapsed(), answer.is_err());
        answer
    }

    async fn asking<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Err(sqlx::Error::PoolClosed) };
        self.state = State::UnderWay;
        let answer = match self.shared.engine {
            Engine::Sqlite => ask(connection).await,
            Engine::Postgres => tokio::select! {
                biased;
                answer = ask(connection) => answer,
                () = self.shared.pulse.lost() => Err(pulse::away()),
            },
        };
        self.state = match &answer {
            Ok(_) => State::Sound,
            Err(sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed) => {
                State::Broken
            }
            Err(_) => State::InDoubt,
        };
        answer
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        match self.state {
            State::Sound if !self.shared.is_closed() => {
                let (home, group) = (self.home, std::mem::take(&mut self.group));
                self.shared.give_back(Idle { connection, since: Instant::now(), home, group });
            }
            // It would go back to sqlx with their transaction open.
            State::Sound | State::UnderWay | State::InDoubt if self.is_member() => connection.abandon(),
            State::UnderWay if self.shared.engine == Engine::Postgres => {
                mend(connection, &self.shared, self.place.take());
            }
            State::Sound | State::UnderWay | State::InDoubt => (),
            // Those at hand lost the database with this one. There is nobody to say goodbye to.
            State::Broken if self.shared.engine == Engine::Postgres => {
                connection.forget();
                self.shared.forget_idle();
            }
            State::Broken => self.shared.clear(),
        }
    }
}

fn exec(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

fn query(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
