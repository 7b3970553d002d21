//! The adapters against real databases: each case on SQLite and again on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "all of this is tests: a broken expectation is a failed test"
)]

mod harness;
mod schema;
mod smoke;
