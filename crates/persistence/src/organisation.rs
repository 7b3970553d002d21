//! Members of seller accounts and invitations on the database.

mod queries;
mod repo;
mod row;
