//! Fresh databases for tests: a SQLite file in a temporary folder, a PostgreSQL database of its own.

use std::{
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use domain::{Rules, Shop};
use migration::Migrator;
use platform::{SystemClock, SystemEntropy};
use sea_orm_migration::MigratorTrait;
use souk_persistence::{Database, Engine, Settings, Synchronous};

/// Where the tests find a PostgreSQL server they may make databases on.
const SERVER: &str = "SOUK_TEST_POSTGRES_URL";

/// A migrated database that nobody else uses; it goes with the value.
pub struct Fresh {
    pub database: Database,
    settings: Settings,
    folder: tempfile::TempDir,
}

impl Fresh {
    /// Another connection to it, as another process would have.
    pub async fn another(&self) -> Database {
        Database::connect(&self.settings).await.unwrap()
    }

    /// The file of a SQLite database.
    pub fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("test.db")
    }
}

pub fn settings(url: String) -> Settings {
    Settings {
        url,
        max_connections: 8,
        connect_timeout: Duration::from_secs(10),
        acquire_timeout: Duration::from_secs(10),
        answer_timeout: Duration::from_secs(10),
        statement_timeout: Duration::from_mins(1),
        idle_timeout: Duration::from_secs(30),
        synchronous: Synchronous::Normal,
    }
}

/// An empty database without any table.
pub async fn blank(engine: Engine) -> Fresh {
    blank_with(engine, |_| ()).await
}

/// An empty database, reached with other settings.
pub async fn blank_with(engine: Engine, change: impl FnOnce(&mut Settings)) -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let url = match engine {
        Engine::Sqlite => format!("sqlite:{}", folder.path().join("test.db").display()),
        Engine::Postgres => new_postgres_database().await,
    };
    let mut settings = settings(url);
    change(&mut settings);
    let database = Database::connect(&settings).await.unwrap();
    Fresh { database, settings, folder }
}

/// A database with the schema of today.
pub async fn migrated(engine: Engine) -> Fresh {
    let fresh = blank(engine).await;
    Migrator::up(fresh.database.migration_connection(), None).await.unwrap();
    fresh
}

async fn new_postgres_database() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    #[expect(clippy::disallowed_methods, reason = "a test has no other settings than its environment")]
    let server = std::env::var(SERVER)
        .unwrap_or_else(|_| panic!("{SERVER} is not set; run scripts/test, which starts a private server"));
    let name = format!("souk_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let admin = Database::connect(&settings(server.clone())).await.unwrap();
    // A server that is kept between runs may have seen a process of this number before.
    admin.maintain(&format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
    admin.maintain(&format!("CREATE DATABASE {name}")).await.unwrap();
    admin.close().await.unwrap();
    let (before, query) = server.split_once('?').map_or((server.as_str(), ""), |(before, query)| (before, query));
    let (base, _) = before.rsplit_once('/').unwrap();
    if query.is_empty() { format!("{base}/{name}") } else { format!("{base}/{name}?{query}") }
}

impl Fresh {
    pub fn shop(&self) -> Shop {
        Shop {
            store: self.database.store(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            meter: Arc::new(()),
            rules: Rules::default(),
        }
    }
}

/// Declares each case as two tests, one per engine.
#[macro_export]
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $case() { super::$case(souk_persistence::Engine::Sqlite).await; })+
        }
        mod postgres {
            $(#[tokio::test] async fn $case() { super::$case(souk_persistence::Engine::Postgres).await; })+
        }
    };
}
