//! Bytes and who holds them.

mod blobs;
mod usage;
