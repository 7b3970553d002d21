//! Bytes and who holds them.

mod blobs;
mod files;
mod grants;
mod libraries;
mod models;
mod pictures;
mod uploads;
mod usage;

pub(crate) use self::blobs::{bytes as digest_value, digest};
