//! Bytes and who holds them.

mod blobs;
mod models;
mod usage;
