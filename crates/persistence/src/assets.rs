//! Bytes and who holds them.

mod blobs;
mod libraries;
mod usage;
