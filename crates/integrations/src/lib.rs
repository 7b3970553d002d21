//! Everything that calls out: the one HTTP client, what brings mails, those who say elsewhere who somebody is, and on which terms
//! all of them are called.

pub mod blobs;
pub mod client;
pub mod mail;
pub mod outside;
pub mod resilience;
