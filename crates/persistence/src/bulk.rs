//! Many values in one statement. They travel as one JSON text instead of one parameter each, so that the statement for
//! thousands of rows is the statement for one: short, and prepared once.

use std::fmt::Write as _;

use domain::{Error, Result, clock::Timestamp};
use sea_orm::{ConnectionTrait, Value};
use serde::{Serialize, Serializer};

use crate::{
    engine::Engine,
    statement::{execute, statement},
};

/// Rows per statement: enough that the statement itself costs nothing, few enough that the text stays small.
pub(crate) const ROWS: usize = 500;

/// How a value stands in the JSON, and what it is in the database.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// An id in hexadecimal, or `null`.
    Id,
    /// A string, or `null`.
    Text,
    /// A whole number.
    Number,
    /// A moment, as [`time`] writes it, or `null`.
    Time,
    /// JSON inside the JSON.
    Json,
}

/// A table, with the columns that are written in bulk.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
}

impl Table {
    /// Stores rows, each an object with the columns as its keys, and gives how many were stored. What `on_conflict`
    /// lets pass is not.
    pub(crate) async fn insert<T: Serialize>(
        &self,
        on: &impl ConnectionTrait,
        engine: Engine,
        rows: &[T],
        on_conflict: &str,
    ) -> Result<u64> {
        let sql = self.statement(engine, on_conflict);
        let mut stored = 0;
        let mut chunks = rows.chunks(ROWS);
        let mut next = chunks.next().map(json).transpose()?;
        while let Some(rows) = next.take() {
            // The next rows are written down while the database is busy with these.
            let store = execute(on, statement(engine, sql.as_str(), [rows]));
            let (done, following) = tokio::join!(store, async { chunks.next().map(json).transpose() });
            stored += done?;
            next = following?;
        }
        Ok(stored)
    }

    fn statement(&self, engine: Engine, on_conflict: &str) -> String {
        let names = self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let (mut values, mut types) = (String::new(), String::new());
        for (n, (name, kind)) in self.columns.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            let (sqlite, postgres) = match kind {
                Kind::Id => (format!("unhex(row.value ->> '{name}')"), "uuid"),
                Kind::Text => (format!("row.value ->> '{name}'"), "text"),
                Kind::Number => (format!("row.value ->> '{name}'"), "bigint"),
                Kind::Time => (format!("row.value ->> '{name}'"), "timestamptz"),
                Kind::Json => (format!("row.value -> '{name}'"), "jsonb"),
            };
            let postgres_value = match kind {
                // A JSON null would arrive as no value at all.
                Kind::Json => format!("coalesce(row.{name}, 'null')"),
                _ => format!("row.{name}"),
            };
            let _ = write!(values, "{comma}{}", engine.pick(&sqlite, &postgres_value));
            let _ = write!(types, "{comma}{name} {postgres}");
        }
        let from = match engine {
            // Without a WHERE, SQLite would take the ON of what follows for that of a join.
            Engine::Sqlite => "jsonb_each($1) AS row WHERE TRUE".to_owned(),
            Engine::Postgres => format!("jsonb_to_recordset($1::jsonb) AS row ({types})"),
        };
        format!("INSERT INTO {} ({names}) SELECT {values} FROM {from} {on_conflict}", self.name)
    }
}

/// Rows or values as the parameter of a statement.
pub(crate) fn json<T: Serialize>(rows: &[T]) -> Result<Value> {
    serde_json::to_string(rows).map(Value::from).map_err(Error::internal)
}

/// A table `wanted` of one column `v`: the texts of a list that is parameter `$n`, each once.
pub(crate) fn texts(engine: Engine, n: usize) -> String {
    match engine {
        Engine::Sqlite => format!("(SELECT DISTINCT value AS v FROM json_each(${n})) wanted"),
        Engine::Postgres => format!("(SELECT DISTINCT value AS v FROM jsonb_array_elements_text(${n}::jsonb)) wanted"),
    }
}

/// Like [`texts`], for ids as [`hex`] gives them.
pub(crate) fn ids(engine: Engine, n: usize) -> String {
    match engine {
        Engine::Sqlite => format!("(SELECT DISTINCT unhex(value) AS v FROM json_each(${n})) wanted"),
        Engine::Postgres => {
            format!("(SELECT DISTINCT value::uuid AS v FROM jsonb_array_elements_text(${n}::jsonb)) wanted")
        }
    }
}

/// The rows of a table, under the alias `p`, for each that is `wanted`. One look into the index for each: a planner
/// that has seen no statistics yet, as in the middle of an import, would rather read everything.
pub(crate) fn for_each(engine: Engine, table: &str, these: &str) -> String {
    match engine {
        Engine::Sqlite => format!("CROSS JOIN {table} p ON {these}"),
        Engine::Postgres => format!("CROSS JOIN LATERAL (SELECT * FROM {table} p WHERE {these} OFFSET 0) p"),
    }
}

/// A moment as sea-orm writes it on SQLite, and as PostgreSQL reads it.
pub(crate) fn time<S: Serializer>(moment: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&moment.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false))
}

/// An id as [`Kind::Id`] wants it.
pub(crate) fn hex<T: Into<uuid::Uuid>>(id: T) -> uuid::fmt::Simple {
    id.into().simple()
}
