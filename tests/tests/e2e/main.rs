//! The real binary, black box, over HTTP, on SQLite and again on PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "all of this is tests: a broken expectation is a failed test"
)]

mod access;
mod accounts;
mod acting;
mod assistant;
mod batches;
mod catalogue;
mod chat;
mod commands;
mod cuts;
mod degraded;
mod document;
mod errors;
mod exports;
mod factors;
mod faults;
mod files;
mod freshness;
mod full_disk;
mod guests;
mod images;
mod inbound;
mod injection;
mod jobs;
mod kept_answers;
mod leaks;
mod lfs;
mod lifecycle;
mod mail;
mod malware;
mod models3d;
mod naughty_strings;
mod nodes;
mod outage;
mod outside;
mod passkeys;
mod probes;
mod prompts;
mod pushed;
mod recall;
mod revocation;
mod rolling;
mod search_models;
mod sessions;
mod shared_cache;
mod shop;
mod socket_ends;
mod socket_nodes;
mod sockets;
mod spending;
mod streams;
mod uploads;
mod walls;
mod webhooks;
mod webhooks_late;
