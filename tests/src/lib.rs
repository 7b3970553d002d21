//! Starts the real binary and talks to it over HTTP, as a stranger would: the tests of this package know nothing of
//! the crates inside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "this crate is tests only: a broken expectation is a failed test"
)]

mod authenticator;
mod bytes;
mod clamd;
mod client;
mod cluster;
mod database;
mod events;
mod fault;
mod haproxy;
pub mod hooks;
mod incoming;
mod issuer;
mod ledger;
mod line;
mod load;
mod mail;
mod port;
mod postgres;
mod pushed;
mod receiver;
mod redis;
mod s3;
mod schema;
mod server;
mod socket;
mod tables;
mod upstream;

pub use authenticator::{Authenticator, totp};
pub use bytes::bytes;
pub use clamd::{Clamd, MALWARE};
pub use client::{Client, Reply};
pub use cluster::{Cluster, NODES_KEY};
pub use database::Database;
pub use events::{Events, Message};
pub use fault::{Fault, FaultProxy};
pub use haproxy::Haproxy;
pub use issuer::Issuer;
pub use ledger::{Ledger, Read, Stale};
pub use line::Line;
pub use load::{Asked, Load, permille};
pub use mail::{Letter, MailServer};
pub use postgres::PostgresServer;
pub use pushed::{PUSHED, is_documented};
pub use receiver::{Hook, Manner, Receiver};
pub use redis::{Corner, RedisServer};
pub use s3::Bucket;
pub use schema::faults;
pub use server::{Demo, Server};
pub use socket::{Closed, Socket};
pub use tables::Tables;
pub use upstream::{Conduct, Counted, PROMPT, Upstream};

/// Makes one test per database of each case, named `sqlite::<case>` and `postgres::<case>`. A case is an
/// `async fn(Database)` beside the macro.
#[macro_export]
macro_rules! on_each_database {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                super::$case($crate::Database::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                super::$case($crate::Database::postgres()).await;
            })+
        }
    };
}

/// The code of the guide for receivers of webhooks is tried as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../../docs/webhooks.md")]
#[derive(Debug)]
pub struct GuideForReceivers;
