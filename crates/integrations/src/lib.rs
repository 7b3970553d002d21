//! Everything that calls out: the one HTTP client, and what brings mails.

pub mod client;
pub mod mail;
