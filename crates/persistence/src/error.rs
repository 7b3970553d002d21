//! What a database error means to the domain; the only place that reads [`DbErr`].

use domain::Error;
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// A [`DbErr`] as the domain's error.
pub(crate) fn of(error: DbErr) -> Error {
    match kind(&error) {
        Kind::Again => Error::Transient(Box::new(error)),
        Kind::Away => Error::Unavailable { what: "database", source: Box::new(error) },
        Kind::Fault => Error::internal(error),
    }
}

/// As [`of`], where another writer may have taken in the meantime what was free when it was looked at: the attempt that runs
/// again finds it taken.
pub(crate) fn of_a_race(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::Transient(Box::new(error)),
        _ => of(error),
    }
}

enum Kind {
    /// The attempt lost a race it may win next time.
    Again,
    /// The database is not there, or has no connection to spare.
    Away,
    /// Our own fault.
    Fault,
}

fn kind(error: &DbErr) -> Kind {
    match error {
        DbErr::ConnectionAcquire(_) => Kind::Away,
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => match error.as_ref() {
            sqlx::Error::Database(database) => code(database.code().as_deref().unwrap_or_default()),
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            // Whoever is at the other end does not speak as a database does: a connection that was broken off.
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => Kind::Away,
            _ => Kind::Fault,
        },
        _ => Kind::Fault,
    }
}

/// PostgreSQL: SQLSTATE, appendix A of its manual. SQLite: extended result codes, sqlite.org/rescode.html.
fn code(code: &str) -> Kind {
    match code {
        // serialization_failure, deadlock_detected, lock_not_available; SQLITE_BUSY, SQLITE_LOCKED, their extended forms
        "40001" | "40P01" | "55P03" | "5" | "6" | "261" | "262" | "517" | "518" | "773" => Kind::Again,
        // too_many_connections, admin_shutdown, crash_shutdown, cannot_connect_now, connection_exception
        // query_canceled, idle_in_transaction_session_timeout: it took longer than it may
        "57014" | "25P03" | "53300" | "57P01" | "57P02" | "57P03" | "08000" | "08003" | "08006" => Kind::Away,
        _ => Kind::Fault,
    }
}
