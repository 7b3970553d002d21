//! Connections at hand.
//!
//! The pool of sqlx asks a connection whether it still lives each time it is given back: a round trip to PostgreSQL, two
//! thread switches on SQLite, for every statement. Here a connection whose last statement ended goes straight to the
//! next one who asks; sqlx still makes connections, and gets back those that are idle or in doubt.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::ThreadId,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
    error::ConnAcquireErr, sqlx,
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{connection::Connection, engine::Engine, observe::observe};

/// At most so many connections, each used by one at a time; whoever finds none waits in line.
#[derive(Debug, Clone)]
pub(crate) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    engine: Engine,
    source: DatabaseConnection,
    size: u32,
    /// One for each connection there may be; closed with the pool.
    places: Arc<Semaphore>,
    /// How long to wait in line (ruling R26).
    patience: Duration,
    /// After which a connection is given back to sqlx, which closes it in its own time.
    idle_timeout: Duration,
    /// The one used last is taken first: its memory is warm, and the others get to be idle.
    idle: Mutex<Vec<Idle>>,
    /// Where the pool was made.
    runtime: Handle,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
    home: Option<ThreadId>,
}

/// A connection that is ours until dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    /// Taken out by `drop`, and only there.
    connection: Option<Connection>,
    /// The thread whose runtime watches the socket, when there is one: used on another, each answer wakes both.
    home: Option<ThreadId>,
    state: State,
    shared: Arc<Shared>,
    _place: OwnedSemaphorePermit,
}

/// What is known of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its last statement ended.
    Sound,
    /// Something was begun that has not ended: also when whoever waited for it went away.
    InDoubt,
    /// The database is not at the other end.
    Broken,
}

impl Pool {
    /// Takes its connections from `source`, `size` of them at most.
    pub(crate) fn over(
        source: DatabaseConnection,
        engine: Engine,
        size: u32,
        patience: Duration,
        idle_timeout: Duration,
    ) -> Self {
        let places = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1).max(1)));
        let (idle, runtime) = (Mutex::default(), Handle::current());
        Self(Arc::new(Shared { engine, source, size, places, patience, idle_timeout, idle, runtime }))
    }

    pub(crate) fn engine(&self) -> Engine {
        self.0.engine
    }

    /// A connection for more than one statement.
    pub(crate) async fn lease(&self) -> Result<Lease, DbErr> {
        let place = tokio::time::timeout(self.0.patience, Arc::clone(&self.0.places).acquire_owned()).await;
        let place = match place {
            Err(_) => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
            Ok(Err(_)) => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
            Ok(Ok(place)) => place,
        };
        let here = match self.0.engine {
            Engine::Postgres => Some(std::thread::current().id()),
            Engine::Sqlite => None,
        };
        let at_hand = self.0.at_hand(here);
        let (connection, home) = match at_hand {
            Some(idle) => (idle.connection, idle.home),
            None => (Connection::of(&self.0.source, self.0.engine).await?, here),
        };
        let shared = Arc::clone(&self.0);
        Ok(Lease { connection: Some(connection), home, state: State::Sound, shared, _place: place })
    }

    /// Lets go of every connection that nobody uses just now, without a word to the database.
    pub(crate) fn forget(&self) {
        for idle in self.0.idle().drain(..) {
            idle.connection.forget();
        }
        while let Some(connection) = Connection::at_rest(&self.0.source, self.0.engine) {
            connection.forget();
        }
    }

    /// Closes every connection after what is in flight.
    pub(crate) async fn close(self) -> Result<(), DbErr> {
        self.0.places.close();
        self.0.idle().clear();
        self.0.source.close_by_ref().await
    }
}

impl Shared {
    /// The connection of this thread that was used last, else one of another thread when no more may be opened.
    fn at_hand(&self, here: Option<ThreadId>) -> Option<Idle> {
        let mut idle = self.idle();
        if let Some(own) = idle.iter().rposition(|one| one.home == here) {
            return Some(idle.remove(own));
        }
        if Connection::open(&self.source, self.engine) < self.size { None } else { idle.pop() }
    }

    /// A panic elsewhere leaves the list as good as it was.
    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // sqlx takes a connection back in a task, also of a runtime that has ended, but not of none.
        let _entered = self.runtime.enter();
        self.idle().clear();
    }
}

impl Lease {
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        let started = Instant::now();
        let done = self.asking(async |connection| connection.execute(&statement).await).await;
        observe(&statement, started.elapsed(), done.is_err());
        done.map_err(exec)
    }

    pub(crate) async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult, DbErr> {
        let done = self.asking(async |connection| connection.execute_unprepared(sql).await).await;
        done.map_err(exec)
    }

    pub(crate) async fn query_one(&mut self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let started = Instant::now();
        let found = self.asking(async |connection| connection.query_one(&statement).await).await;
        observe(&statement, started.elapsed(), found.is_err());
        found.map_err(query)
    }

    pub(crate) async fn query_all(&mut self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let started = Instant::now();
        let found = self.asking(async |connection| connection.query_all(&statement).await).await;
        observe(&statement, started.elapsed(), found.is_err());
        found.map_err(query)
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&mut self, words: &'static str) -> Result<(), DbErr> {
        let done = self.asking(async |connection| connection.begin(words).await).await;
        done.map_err(exec)
    }

    pub(crate) async fn commit(&mut self) -> Result<(), DbErr> {
        let done = self.asking(async |connection| connection.commit().await).await;
        done.map_err(exec)
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), DbErr> {
        let done = self.asking(async |connection| connection.rollback().await).await;
        done.map_err(exec)
    }

    /// Rolls back without waiting for it: sqlx does, when it gets the connection.
    pub(crate) fn start_rollback(&mut self) {
        self.state = State::InDoubt;
        if let Some(connection) = &mut self.connection {
            connection.start_rollback();
        }
    }

    async fn asking<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let Some(connection) = &mut self.connection else { return Err(sqlx::Error::PoolClosed) };
        self.state = State::InDoubt;
        let answer = ask(connection).await;
        self.state = match &answer {
            Ok(_) => State::Sound,
            Err(sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed) => State::Broken,
            Err(_) => State::InDoubt,
        };
        answer
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        match self.state {
            State::Sound if !self.shared.places.is_closed() => {
                let mut idle = self.shared.idle();
                idle.push(Idle { connection, since: Instant::now(), home: self.home });
                // The first is the one that has been idle longest.
                if idle.first().is_some_and(|first| first.since.elapsed() > self.shared.idle_timeout) {
                    idle.remove(0);
                }
            }
            State::Sound | State::InDoubt => (),
            // Those at hand lost the database with this one.
            State::Broken => self.shared.idle().clear(),
        }
    }
}

#[async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        self.0.engine.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.lease().await?.execute(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.lease().await?.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.lease().await?.query_one(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.lease().await?.query_all(statement).await
    }
}

fn exec(error: sqlx::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

fn query(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
