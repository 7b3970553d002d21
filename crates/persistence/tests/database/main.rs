//! The adapters against real databases: each case on SQLite and again on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;
mod harness;
mod schema;
mod search;
mod smoke;
