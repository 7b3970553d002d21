//! Access on the database.

mod api_key;
mod ban;
mod people;
mod role;
pub(crate) mod row;
