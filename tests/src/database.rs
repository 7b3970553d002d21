//! Which database a server stands on.

use std::{
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{Corner, PostgresServer};

/// A database of its own for one test.
#[derive(Debug)]
pub enum Database {
    /// The embedded default: files in the server's folder.
    Sqlite,
    /// A fresh database on the server that `SOUK_TEST_POSTGRES_URL` names, dropped with this value.
    Postgres {
        /// The superuser's URL of the maintenance database.
        maintenance: String,
        /// The name of the fresh one.
        name: String,
        /// The corner of Redis that goes with it.
        redis: Option<Corner>,
    },
}

impl Database {
    /// The embedded default.
    pub fn sqlite() -> Self {
        Self::Sqlite
    }

    /// A fresh PostgreSQL database, and Redis beside it: what several nodes share.
    ///
    /// # Panics
    /// Without one of the servers: a test is never skipped in silence.
    pub fn postgres() -> Self {
        Self::postgres_with(Some(Corner::shared()))
    }

    /// A fresh PostgreSQL database with this Redis, or none.
    ///
    /// # Panics
    /// Without a PostgreSQL server.
    #[expect(clippy::disallowed_methods, reason = "the test runner says by environment where the server is")]
    pub fn postgres_with(redis: Option<Corner>) -> Self {
        let maintenance = std::env::var("SOUK_TEST_POSTGRES_URL")
            .expect("this test needs PostgreSQL: run scripts/test, which starts one and sets SOUK_TEST_POSTGRES_URL");
        Self::made(maintenance, redis)
    }

    /// A fresh database on a PostgreSQL server of the test's own, which outlives it, and Redis beside it.
    pub fn on(server: &PostgresServer) -> Self {
        Self::made(server.url(), Some(Corner::shared()))
    }

    fn made(maintenance: String, redis: Option<Corner>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("e2e_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        sql(&maintenance, &format!("create database {name}"));
        Self::Postgres { maintenance, name, redis }
    }

    /// The value of `DATABASE_URL`; none for the default.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { maintenance, name, .. } => {
                let (server, _) = maintenance.rsplit_once('/').expect("a URL that ends in a database");
                Some(format!("{server}/{name}"))
            }
        }
    }
}

impl Database {
    /// Where its Redis is.
    pub fn redis(&self) -> Option<&Corner> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { redis, .. } => redis.as_ref(),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { maintenance, name, .. } = self {
            sql(maintenance, &format!("drop database {name} with (force)"));
        }
    }
}

/// Runs one statement through PostgreSQL's own client, so that the tests need no driver.
fn sql(url: &str, statement: &str) {
    let done = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", statement, url])
        .env("PGCONNECT_TIMEOUT", "20")
        .stdin(Stdio::null())
        .status()
        .expect("psql, which comes with PostgreSQL");
    assert!(done.success() || std::thread::panicking(), "psql: {statement}");
}
