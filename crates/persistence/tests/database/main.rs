//! The adapters against real databases: each case on SQLite and again on PostgreSQL.

mod harness;
mod schema;
mod smoke;
