//! Connections at hand.
//!
//! The pool of sqlx asks a connection whether it still lives each time it is given back: a round trip to PostgreSQL, two
//! thread switches on SQLite, for every statement. Here a connection whose last statement ended goes straight to the
//! next one who asks; sqlx still makes connections, and gets back those that are idle or in doubt.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::ThreadId,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
    error::ConnAcquireErr,
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{
    checkpoint::Growth,
    connection::Connection,
    engine::Engine,
    group::Group,
    lease::Lease,
    pulse::{self, Pulse},
};

/// At most so many connections, each used by one at a time; whoever finds none waits in line.
#[derive(Debug, Clone)]
pub(crate) struct Pool(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    source: DatabaseConnection,
    size: u32,
    /// One for each connection there may be; closed with the pool.
    places: Arc<Semaphore>,
    /// How many stand in line for a place.
    in_line: AtomicUsize,
    /// How long to wait in line (ruling R26).
    patience: Duration,
    /// After which a connection is given back to sqlx, which closes it in its own time.
    idle_timeout: Duration,
    /// The one used last is taken first: its memory is warm, and the others get to be idle.
    idle: Mutex<Vec<Idle>>,
    /// Where the pool was made.
    pub(crate) runtime: Handle,
    /// Whether the server is there at all.
    pub(crate) pulse: Pulse,
    /// Of those that write on SQLite: what is written makes its log longer.
    growth: Option<Growth>,
}

/// A connection that nobody uses just now.
#[derive(Debug)]
pub(crate) struct Idle {
    pub(crate) connection: Connection,
    pub(crate) since: Instant,
    pub(crate) home: Option<ThreadId>,
    /// Whose commit is still to be sent.
    pub(crate) group: Group,
}

impl Pool {
    /// Takes its connections from `source`, `size` of them at most.
    pub(crate) fn over(
        source: DatabaseConnection,
        engine: Engine,
        size: u32,
        (patience, idle_timeout): (Duration, Duration),
        growth: Option<Growth>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1).max(1)));
        let (in_line, idle, runtime) = (AtomicUsize::new(0), Mutex::default(), Handle::current());
        let pulse = Pulse::default();
        Self(Arc::new(Shared {
            engine,
            source,
            size,
            places,
            in_line,
            patience,
            idle_timeout,
            idle,
            runtime,
            pulse,
            growth,
        }))
    }

    pub(crate) fn engine(&self) -> Engine {
        self.0.engine
    }

    /// Whether the server is there.
    pub(crate) fn pulse(&self) -> &Pulse {
        &self.0.pulse
    }

    /// A connection with nothing open on it.
    pub(crate) async fn lease(&self) -> Result<Lease, DbErr> {
        let lease = self.lease_as_left().await?;
        if !lease.is_member() {
            return Ok(lease);
        }
        // Whoever waits here may go away; those who are done do not.
        let settled = Handle::current().spawn(lease.settled()).await;
        settled.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }

    /// A connection that may have a transaction open for others to join.
    pub(crate) async fn lease_as_left(&self) -> Result<Lease, DbErr> {
        if !self.0.pulse.beats() {
            return Err(lost());
        }
        let leased = async {
            let place = tokio::time::timeout(self.0.patience, self.0.place()).await;
            let place = place.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))??;
            self.0.lease_at(place).await
        };
        if self.0.engine == Engine::Sqlite {
            return leased.await;
        }
        tokio::select! {
            biased;
            leased = leased => leased,
            () = self.0.pulse.lost() => Err(lost()),
        }
    }

    /// Lets go of every connection that nobody uses just now, without a word to the database.
    pub(crate) fn forget(&self) {
        self.0.forget_idle();
        while let Some(connection) = Connection::at_rest(&self.0.source, self.0.engine) {
            connection.forget();
        }
    }

    /// Closes every connection after what is in flight.
    pub(crate) async fn close(self) -> Result<(), DbErr> {
        self.0.places.close();
        self.0.clear();
        self.0.source.close_by_ref().await
    }
}

impl Shared {
    async fn place(&self) -> Result<OwnedSemaphorePermit, DbErr> {
        let _counted = InLine::of(&self.in_line);
        let place = Arc::clone(&self.places).acquire_owned().await;
        place.map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }

    async fn lease_at(self: &Arc<Self>, place: OwnedSemaphorePermit) -> Result<Lease, DbErr> {
        let home = match self.engine {
            Engine::Postgres => Some(std::thread::current().id()),
            Engine::Sqlite => None,
        };
        let idle = if let Some(idle) = self.at_hand(home) {
            idle
        } else {
            let connection = Connection::of(&self.source, self.engine).await?;
            Idle { connection, since: Instant::now(), home, group: Group::default() }
        };
        Ok(Lease::of(idle, Arc::clone(self), place))
    }

    /// Whether anybody waits for a connection.
    pub(crate) fn is_wanted(&self) -> bool {
        self.in_line.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.places.is_closed()
    }

    /// Has what is left open by then committed, in line behind those who wait now.
    pub(crate) fn commit_soon(self: &Arc<Self>) {
        let committer = Committer(Some(Arc::clone(self)));
        Handle::current().spawn(committer.run());
    }

    async fn commit_left_open(self: &Arc<Self>) {
        // Should the pool be closed meanwhile, the connection is, and those who wait are told.
        let Ok(place) = self.place().await else { return };
        if let Ok(lease) = self.lease_at(place).await {
            drop(lease.settled().await);
        }
    }

    pub(crate) fn give_back(&self, one: Idle) {
        if let Some(growth) = &self.growth {
            growth.wrote();
        }
        let mut idle = self.idle();
        idle.push(one);
        // The first is the one that has been idle longest.
        if idle.first().is_some_and(|first| first.since.elapsed() > self.idle_timeout) {
            idle.remove(0);
        }
    }

    /// Drops those at hand without a word to the database.
    pub(crate) fn forget_idle(&self) {
        let idle = std::mem::take(&mut *self.idle());
        for idle in idle {
            idle.connection.forget();
        }
    }

    pub(crate) fn clear(&self) {
        self.idle().clear();
    }

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

fn lost() -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(pulse::away().into()))
}

impl Drop for Shared {
    fn drop(&mut self) {
        // sqlx takes a connection back in a task, also of a runtime that has ended, but not of none.
        let _entered = self.runtime.enter();
        self.idle().clear();
    }
}

/// Commits what was left open. Where it was started, a runtime may end before it is done: then it goes on where the pool
/// was made, for others wait for it.
struct Committer(Option<Arc<Shared>>);

impl Committer {
    async fn run(mut self) {
        if let Some(shared) = &self.0 {
            shared.commit_left_open().await;
        }
        self.0 = None;
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            let runtime = shared.runtime.clone();
            runtime.spawn(async move { shared.commit_left_open().await });
        }
    }
}

/// One who stands in line.
struct InLine<'a>(&'a AtomicUsize);

impl<'a> InLine<'a> {
    fn of(line: &'a AtomicUsize) -> Self {
        line.fetch_add(1, Ordering::Relaxed);
        Self(line)
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
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
