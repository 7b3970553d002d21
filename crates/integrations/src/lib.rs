//! Everything that calls out: the one HTTP client, what brings mails, what knows malware, and those who say elsewhere who somebody is.

pub mod blobs;
pub mod clamav;
pub mod client;
pub mod mail;
pub mod outside;
