//! Everything that calls out: the one HTTP client, what brings mails and webhooks, and those who say elsewhere who somebody is.

pub mod blobs;
pub mod client;
pub mod mail;
pub mod outside;
pub mod webhooks;
