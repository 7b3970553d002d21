//! The domain's ports on SQLite and PostgreSQL, through SeaORM.

mod access;
mod assets;
mod assistant;
mod bulk;
mod catalog;
mod checkpoint;
mod connection;
mod database;
mod engine;
mod entity;
mod epochs;
mod error;
mod group;
mod identity;
mod inbound;
mod job;
mod lease;
mod loader;
mod mending;
mod notify_bus;
mod observe;
mod organisation;
mod paging;
mod pool;
mod pulse;
mod room;
mod spine;
mod statement;
mod transaction;
mod tx;
mod webhooks;

pub use database::{Database, Settings, Synchronous};
pub use engine::Engine;
pub use identity::personal_columns;
pub use notify_bus::NotifyBus;
pub use room::DatabasePresence;
