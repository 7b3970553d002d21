//! Connections: pools and their limits.

use std::{sync::Arc, time::Duration};

use domain::{Error, Result, health::Probe};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, sqlx};

use crate::{
    catalog::Details,
    checkpoint::{Growth, WITHIN_COMMIT},
    engine::Engine,
    error,
    pool::Pool,
    statement::statement,
};

/// After how long without a word from us the server ends a transaction.
const ABANDONED: Duration = Duration::from_secs(15);

/// When SQLite makes a commit durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// A commit survives the end of the process; a power cut may take the last ones, never half of one.
    Normal,
    /// A commit survives a power cut.
    Full,
}

/// How to reach the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `sqlite:<path>` or `postgres://..`.
    pub url: String,
    /// Most connections at once (DB-07).
    pub max_connections: u32,
    /// How long to wait for a new connection.
    pub connect_timeout: Duration,
    /// How long a request waits for a free connection before it is told to come back (ruling R26).
    pub acquire_timeout: Duration,
    /// PostgreSQL only: how long it may take to answer when it is asked nothing. After that nobody waits for it.
    pub answer_timeout: Duration,
    /// PostgreSQL only: how long a statement may take; none that is zero.
    pub statement_timeout: Duration,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// SQLite only.
    pub synchronous: Synchronous,
}

/// The database: one pool that reads, one that writes. On PostgreSQL they are the same; on SQLite there is one writer.
#[derive(Debug, Clone)]
pub struct Database {
    pub(crate) engine: Engine,
    pub(crate) reader: Pool,
    pub(crate) writer: Pool,
    /// A connection of its own, for migrations and for what is done beside the writing.
    pub(crate) migrations: DatabaseConnection,
    pub(crate) committed: Arc<tokio::sync::Notify>,
    pub(crate) enqueued: Arc<tokio::sync::Notify>,
    /// Told of commits on SQLite.
    pub(crate) growth: Growth,
    pub(crate) details: Arc<Details>,
    /// Where the pulse of the server is felt, and for how long it may miss.
    pub(crate) pulse_url: Arc<str>,
    pub(crate) patience: Duration,
}

impl Database {
    /// Opens the pools; a SQLite file that is not there is made.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer, [`Error::Internal`] for a URL that names none.
    pub async fn connect(settings: &Settings) -> Result<Self> {
        let engine = Engine::of_url(&settings.url)
            .ok_or_else(|| Error::internal("the database URL must begin with sqlite: or postgres://"))?;
        let growth = Growth::default();
        let (reader, writer, mut migrating) = match engine {
            Engine::Postgres => {
                let pool = open(bounded(settings), engine, settings, settings.max_connections, None).await?;
                (pool.clone(), pool, options(settings))
            }
            Engine::Sqlite => {
                // One writer: others wait for it in line, instead of polling a lock.
                let writer = open(sqlite(settings, true), engine, settings, 1, Some(growth.clone())).await?;
                let readers = settings.max_connections.min(useful_readers());
                let reader = open(sqlite(settings, false), engine, settings, readers, None).await?;
                (reader, writer, sqlite(settings, true))
            }
        };
        migrating.max_connections(1).min_connections(0).connect_lazy(true);
        let migrations = sea_orm::Database::connect(migrating).await.map_err(error::of)?;
        let (committed, enqueued) = (Arc::default(), Arc::default());
        let details = Arc::new(Details::of(engine));
        let (pulse_url, patience) = (settings.url.as_str().into(), settings.answer_timeout);
        Ok(Self { engine, reader, writer, migrations, committed, enqueued, growth, details, pulse_url, patience })
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Wakes whoever waits whenever a use case of this process has committed: so the relay need not ask all the time.
    pub fn committed(&self) -> Arc<tokio::sync::Notify> {
        Arc::clone(&self.committed)
    }

    /// Wakes whoever waits whenever this process has stored jobs: so the worker need not ask all the time.
    pub fn enqueued(&self) -> Arc<tokio::sync::Notify> {
        Arc::clone(&self.enqueued)
    }

    /// The connection migrations run on; made when it is first used.
    pub fn migration_connection(&self) -> &DatabaseConnection {
        &self.migrations
    }

    /// Whether the database answers, for `/ready`.
    pub fn probe(&self) -> Arc<dyn Probe> {
        Arc::new(self.clone())
    }

    /// Lets go of every connection to PostgreSQL that nobody uses just now. A connection belongs to the runtime it was
    /// opened on, and is dead once that has ended; to be called when one did and another goes on.
    pub fn forget_connections(&self) {
        if self.engine == Engine::Postgres {
            self.writer.forget();
        }
    }

    /// Closes the pools after what is in flight.
    pub async fn close(self) -> Result<()> {
        self.migrations.close().await.map_err(error::of)?;
        self.reader.close().await.map_err(error::of)?;
        self.writer.close().await.map_err(error::of)
    }

    /// Makes the writer ready for very many rows. On SQLite more pages are held in memory, and the log is written back to
    /// the file less often, since most pages would be written back only to change again. When a commit is durable stays
    /// as it is set.
    pub async fn expect_bulk(&self) -> Result<()> {
        match self.engine {
            Engine::Sqlite => self.maintain("PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 16000").await,
            Engine::Postgres => Ok(()),
        }
    }

    /// Runs statements that read or set up nothing of the domain, such as `VACUUM` or `ANALYZE`.
    pub async fn maintain(&self, sql: &str) -> Result<()> {
        self.writer.execute_unprepared(sql).await.map(|_| ()).map_err(error::of)
    }
}

#[async_trait::async_trait]
impl Probe for Database {
    fn name(&self) -> &'static str {
        "database"
    }

    fn required(&self) -> bool {
        true
    }

    fn embedded(&self) -> bool {
        self.engine == Engine::Sqlite
    }

    async fn check(&self) -> bool {
        let asked = self.reader.query_one_raw(statement(self.engine, "SELECT 1", []));
        matches!(tokio::time::timeout(Duration::from_secs(1), asked).await, Ok(Ok(Some(_))))
    }
}

fn options(settings: &Settings) -> ConnectOptions {
    let mut options = ConnectOptions::new(settings.url.clone());
    options
        .min_connections(1)
        .connect_timeout(settings.connect_timeout)
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(settings.idle_timeout)
        // Checking a connection before each use costs a round trip; a broken one is told by its first statement.
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}

/// Each connection tells the server how long it may be busy with us, and how long it may wait for us with a transaction open:
/// what it holds for a node that it no longer hears from, others wait for.
fn bounded(settings: &Settings) -> ConnectOptions {
    let statement = settings.statement_timeout.as_millis();
    let words = format!(
        "SET statement_timeout = {statement}; SET idle_in_transaction_session_timeout = {}",
        ABANDONED.as_millis()
    );
    let mut options = options(settings);
    options.map_sqlx_postgres_pool_opts(move |pool| {
        let words = words.clone();
        pool.after_connect(move |connection, _| {
            let words = sqlx::AssertSqlSafe(words.clone());
            Box::pin(async move { sqlx::Executor::execute(connection, words).await.map(|_| ()) })
        })
    });
    options
}

fn sqlite(settings: &Settings, writes: bool) -> ConnectOptions {
    use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

    let synchronous = match settings.synchronous {
        Synchronous::Normal => SqliteSynchronous::Normal,
        Synchronous::Full => SqliteSynchronous::Full,
    };
    let mut options = options(settings);
    options.map_sqlx_sqlite_opts(move |sqlite| {
        let sqlite = sqlite
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            // In KiB, for each connection. Mapping the file instead is some percent faster, but then every connection
            // counts the whole file as memory of the process: 142 MiB instead of 72 with four readers of 28 MiB.
            .pragma("cache_size", if writes { "-6144" } else { "-2048" })
            .pragma("temp_store", "memory");
        if writes {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(synchronous)
                .pragma("wal_autocheckpoint", WITHIN_COMMIT)
                // In bytes: after an import the log gives its room back.
                .pragma("journal_size_limit", "67108864")
        } else {
            sqlite.read_only(true)
        }
    });
    options
}

/// Reading SQLite is work for a processor, not waiting, yet each connection has a thread that sleeps while nobody asks:
/// with four for a processor there is mostly one awake to take the next request. More only hold more memory.
fn useful_readers() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    u32::try_from(4 * processors).unwrap_or(u32::MAX)
}

async fn open(
    mut options: ConnectOptions,
    engine: Engine,
    settings: &Settings,
    size: u32,
    growth: Option<Growth>,
) -> Result<Pool> {
    options.max_connections(size);
    let source = sea_orm::Database::connect(options).await.map_err(error::of)?;
    Ok(Pool::over(source, engine, size, (settings.acquire_timeout, settings.idle_timeout), growth))
}
