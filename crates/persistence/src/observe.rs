//! What is logged and measured of each statement: its text with the placeholders, never the values.

use std::time::Duration;

/// A statement that takes longer is logged as slow (CAT-05, OBS-12).
const SLOW: Duration = Duration::from_millis(100);
/// Most characters of a statement in the log.
const SHOWN: usize = 1000;

pub(crate) fn observe(sql: &str, parameters: usize, elapsed: Duration, failed: bool) {
    let duration_ms = elapsed.as_secs_f64() * 1000.0;
    // Off unless asked for, such as by LOG_LEVEL=info,souk::sql=debug (DB-13).
    tracing::debug!(target: "souk::sql", sql, durationMs = duration_ms, "query");
    metrics::histogram!("db_query_duration_seconds", "statement" => class(sql)).record(elapsed.as_secs_f64());
    if elapsed > SLOW {
        tracing::warn!(sql = shown(sql), parameters, durationMs = duration_ms, failed, "Slow query");
    }
}

/// What kind of statement it is.
fn class(sql: &str) -> &'static str {
    let first = sql.split_whitespace().next().unwrap_or_default();
    ["select", "insert", "update", "delete", "with"]
        .into_iter()
        .find(|known| first.eq_ignore_ascii_case(known))
        .unwrap_or("other")
}

/// The beginning of a statement: one that inserts hundreds of rows says the same thing over and over.
fn shown(sql: &str) -> &str {
    sql.char_indices().nth(SHOWN).and_then(|(end, _)| sql.get(..end)).unwrap_or(sql)
}
