//! Bytes and who holds them.

mod blobs;
mod files;
mod grants;
mod models;
mod usage;
