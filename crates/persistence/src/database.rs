//! Connections: pools, their limits, and what is logged and measured of each statement.

use std::{sync::Arc, time::Duration};

use domain::{Error, Result, health::Probe};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, metric};

use crate::{engine::Engine, error, statement::statement};

/// A statement that takes longer is logged as slow (CAT-05, OBS-12).
const SLOW: Duration = Duration::from_millis(100);
/// Most characters of a statement in the log.
const SHOWN: usize = 1000;

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
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// SQLite only.
    pub synchronous: Synchronous,
}

/// The database: one pool that reads, one that writes. On PostgreSQL they are the same; on SQLite there is one writer.
#[derive(Debug, Clone)]
pub struct Database {
    pub(crate) engine: Engine,
    pub(crate) reader: DatabaseConnection,
    pub(crate) writer: DatabaseConnection,
    pub(crate) committed: Arc<tokio::sync::Notify>,
}

impl Database {
    /// Opens the pools; a SQLite file that is not there is made.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database does not answer, [`Error::Internal`] for a URL that names none.
    pub async fn connect(settings: &Settings) -> Result<Self> {
        let engine = Engine::of_url(&settings.url)
            .ok_or_else(|| Error::internal("the database URL must begin with sqlite: or postgres://"))?;
        let (reader, writer) = match engine {
            Engine::Postgres => {
                let mut options = options(settings);
                options.max_connections(settings.max_connections);
                let pool = open(options).await?;
                (pool.clone(), pool)
            }
            Engine::Sqlite => {
                let mut writing = sqlite(settings, true);
                // One writer: others wait for it in the pool, in order, instead of polling a lock.
                writing.max_connections(1);
                let writer = open(writing).await?;
                let mut reading = sqlite(settings, false);
                reading.max_connections(settings.max_connections.min(useful_readers()));
                (open(reading).await?, writer)
            }
        };
        Ok(Self { engine, reader, writer, committed: Arc::default() })
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Wakes whoever waits whenever a use case of this process has committed: so the relay need not ask all the time.
    pub fn committed(&self) -> Arc<tokio::sync::Notify> {
        Arc::clone(&self.committed)
    }

    /// The connection migrations run on.
    pub fn migration_connection(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Whether the database answers, for `/ready`.
    pub fn probe(&self) -> Arc<dyn Probe> {
        Arc::new(self.clone())
    }

    /// Closes the pools after what is in flight.
    pub async fn close(self) -> Result<()> {
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
            .pragma("cache_size", "-6144")
            .pragma("temp_store", "memory");
        if writes {
            sqlite.create_if_missing(true).journal_mode(SqliteJournalMode::Wal).synchronous(synchronous)
        } else {
            sqlite.read_only(true)
        }
    });
    options
}

/// Reading SQLite is work for a processor, not waiting: more connections than keep the processors busy only hold more
/// memory and take turns.
fn useful_readers() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    u32::try_from(2 * processors).unwrap_or(u32::MAX)
}

async fn open(options: ConnectOptions) -> Result<DatabaseConnection> {
    let mut connection = sea_orm::Database::connect(options).await.map_err(error::of)?;
    connection.set_metric_callback(observe);
    Ok(connection)
}

/// Measures every statement and logs the slow ones: the text with its placeholders, never the values.
fn observe(info: &metric::Info<'_>) {
    let class = info.statement.sql.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    // Off unless asked for, such as by LOG_LEVEL=info,souk::sql=debug (DB-13).
    tracing::debug!(
        target: "souk::sql",
        sql = info.statement.sql,
        durationMs = info.elapsed.as_secs_f64() * 1000.0,
        "query"
    );
    metrics::histogram!("db_query_duration_seconds", "statement" => class).record(info.elapsed.as_secs_f64());
    if info.elapsed > SLOW {
        let parameters = info.statement.values.as_ref().map_or(0, |values| values.0.len());
        tracing::warn!(
            sql = shown(&info.statement.sql),
            parameters,
            durationMs = info.elapsed.as_secs_f64() * 1000.0,
            failed = info.failed,
            "Slow query"
        );
    }
}

/// The beginning of a statement: one that inserts hundreds of rows says the same thing over and over.
fn shown(sql: &str) -> &str {
    sql.char_indices().nth(SHOWN).and_then(|(end, _)| sql.get(..end)).unwrap_or(sql)
}
