//! What a marketplace is: its types, its rules, its use cases, and the ports behind which everything else stands.
//!
//! This crate does no I/O, has no async runtime and knows no framework. A use case is one `async fn` that takes a
//! [`Shop`], a proof that the caller may ([`Authorized`]) and a command, and gives back a value or an [`Error`].

pub mod access;
pub mod actor;
pub mod assets;
pub mod assistant;
pub mod audit;
pub mod behalf;
pub mod bus;
pub mod cache;
pub mod catalog;
pub mod clock;
pub mod deadline;
pub mod demo;
pub mod dependency;
pub mod error;
pub mod event;
pub mod health;
pub mod id;
pub mod idempotency;
pub mod identity;
pub mod inbound;
pub mod job;
pub mod limit;
pub mod mail;
pub mod meter;
pub mod money;
pub mod network;
pub mod organisation;
pub mod page;
pub mod permission;
pub mod realtime;
pub mod relay;
pub mod retention;
mod role;
pub mod room;
pub mod schedule;
pub mod secrets;
pub mod shop;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod webhooks;

pub use actor::{Actor, Principal};
pub use error::{Error, Result, Violation, Violations};
pub use permission::{Authorized, Permission, Permissions};
pub use shop::{Rules, Shop};
pub use store::{Store, Tx};
