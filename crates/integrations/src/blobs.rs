//! Bytes in a store that speaks S3.

mod connection;
mod s3;
mod stage;

pub use s3::{S3Blobs, S3Settings};
