//! The whole application in process, over the store in memory.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod access;
mod accounts;
mod authorization;
mod bad_input;
mod bounds;
mod by_mail;
mod categories;
mod deletion;
mod document;
mod exports;
mod factors;
mod files;
mod guests;
mod idempotency;
mod images;
mod impersonation;
mod inbound;
mod jobs;
mod lfs;
mod models3d;
mod openai;
mod outside;
mod problems;
mod products;
mod reviews;
mod rooms;
mod search;
mod sessions;
mod setup;
mod shell;
mod spending;
mod streams;
mod uploads;
mod webhooks;
