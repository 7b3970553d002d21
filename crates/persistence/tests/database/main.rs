//! The adapters against real databases: each case on SQLite and again on PostgreSQL.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod audit_chain;
mod bulk;
mod bus;
mod category_race;
mod checkpoint;
mod contract;
mod counts;
mod deletion;
mod details;
mod epochs;
mod group;
mod harness;
mod jobs;
mod logs;
mod personal;
mod pool;
mod presence;
mod relay;
mod retention;
mod schedule;
mod schema;
mod search;
mod smoke;
mod verify;
