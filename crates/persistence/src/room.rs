//! Rooms, what is said in them, and who is there.

mod presence;
mod purge;
mod queries;
mod repo;
mod row;

pub use presence::DatabasePresence;
