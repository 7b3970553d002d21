//! Connections at hand.
//!
//! The pool of sqlx asks a connection whether it still lives each time it is given back: a round trip to PostgreSQL, two
//! thread switches on SQLite, for every statement. Here a connection whose last statement ended goes straight to the
//! next one who asks; sqlx still makes connections, and gets back those that are idle or in doubt.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::ThreadId,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values,
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
    /// The begin of a transaction, to go with its first statement.
    due: Option<&'static str>,
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
        Ok(Lease { connection: Some(connection), home, state: State::Sound, due: None, shared, _place: place })
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

    /// Begins a transaction, on SQLite with its first statement.
    pub(crate) async fn begin(&mut self, words: &'static str) -> Result<(), DbErr> {
        self.due = Some(words);
        match self.shared.engine {
            Engine::Sqlite => Ok(()),
            Engine::Postgres => self.begin_now().await,
        }
    }

    async fn begin_now(&mut self) -> Result<(), DbErr> {
        let Some(words) = self.due.take() else { return Ok(()) };
        self.asking(async |on| on.begin(words).await).await.map_err(exec)
    }

    /// Commits after one more statement, if there is one.
    pub(crate) async fn commit(&mut self, last: Option<Statement>) -> Result<(), DbErr> {
        match last {
            // Nothing was sent, so nothing is open.
            None if self.due.is_some() => {
                self.due = None;
                return Ok(());
            }
            None => (),
            Some(last) => match self.shared.engine {
                Engine::Sqlite => {
                    let sent = self.send(last, "; COMMIT", async |on, sql, values| on.execute(sql, values).await);
                    return sent.await.map(|_| ()).map_err(exec);
                }
                Engine::Postgres => self.execute(last).await.map(|_| ())?,
            },
        }
        self.asking(async |on| on.commit().await).await.map_err(exec)
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), DbErr> {
        if self.due.take().is_some() {
            return Ok(());
        }
        self.asking(async |on| on.rollback().await).await.map_err(exec)
    }

    /// Leaves a transaction that was begun and not ended.
    pub(crate) fn abandon(&mut self) {
        if self.due.take().is_none()
            && let Some(connection) = self.connection.take()
        {
            connection.abandon();
        }
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
