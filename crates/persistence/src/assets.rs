//! Bytes and who holds them.

mod blobs;
mod pictures;
mod usage;
