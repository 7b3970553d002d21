//! Webhooks that came in.

mod queries;
mod repo;
mod row;
