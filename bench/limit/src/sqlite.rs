//! Statements in a loop on SQLite, prepared once, every column of every row read.

use std::{
    error::Error,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use rusqlite::{Connection, types::Value};
use serde::Deserialize;

/// The statements of one request, with the values of one request.
type Variant = Vec<Step>;

#[derive(Deserialize)]
struct Step {
    sql: String,
    values: Vec<Given>,
}

/// A value to bind.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Given {
    Null,
    Integer(i64),
    Text(String),
    /// In hexadecimal digits.
    Blob(String),
    /// An id that is new in each run; the same number is the same id.
    Fresh(u8),
    /// A text that is new in each run.
    Name,
}

/// How many variants were run per second, one after the other on one connection.
pub fn run(file: &str, variants: &str, seconds: f64) -> Result<f64, Box<dyn Error>> {
    let variants: Vec<Variant> = serde_json::from_slice(&std::fs::read(variants)?)?;
    let connection = open(file)?;
    let begun = Instant::now();
    let mut done = 0_u64;
    for variant in variants.iter().cycle() {
        if begun.elapsed().as_secs_f64() >= seconds {
            break;
        }
        let serial = fresh();
        for step in variant {
            execute(&connection, step, serial)?;
        }
        done += 1;
    }
    Ok(done as f64 / begun.elapsed().as_secs_f64())
}

/// As Souk opens it, with the durability of Souk's default; the log is copied within commits, for here is nobody who
/// does that beside.
fn open(file: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = wal; PRAGMA synchronous = normal; PRAGMA foreign_keys = on; PRAGMA cache_size = -6144; \
         PRAGMA wal_autocheckpoint = 4096; PRAGMA temp_store = memory; PRAGMA busy_timeout = 5000;",
    )?;
    connection.set_prepared_statement_cache_capacity(100);
    Ok(connection)
}

fn execute(connection: &Connection, step: &Step, serial: u64) -> Result<(), Box<dyn Error>> {
    let mut statement = connection.prepare_cached(&step.sql)?;
    for index in 1..=statement.parameter_count() {
        // `$7` is a name to SQLite, numbered by where it stands first; `?` has only its place.
        let place = match statement.parameter_name(index) {
            Some(name) => name[1..].parse()?,
            None => index,
        };
        let value = step.values.get(place - 1).ok_or("a value is missing")?;
        statement.raw_bind_parameter(index, bound(value, serial))?;
    }
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            std::hint::black_box(row.get_ref(column)?);
        }
    }
    Ok(())
}

fn bound(value: &Given, serial: u64) -> Value {
    match value {
        Given::Null => Value::Null,
        Given::Integer(number) => Value::Integer(*number),
        Given::Text(text) => Value::Text(text.clone()),
        Given::Blob(digits) => Value::Blob(bytes(digits)),
        Given::Fresh(number) => {
            let mut id = serial.to_be_bytes().to_vec();
            id.extend([*number; 8]);
            Value::Blob(id)
        }
        Given::Name => Value::Text(format!("bench-{serial:x}")),
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2).filter_map(|n| u8::from_str_radix(digits.get(2 * n..2 * n + 2)?, 16).ok()).collect()
}

/// Numbers that grow, as the time in Souk's ids does, also from one run to the next.
fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos() as u64);
    NEXT.fetch_max(now, Ordering::Relaxed);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
