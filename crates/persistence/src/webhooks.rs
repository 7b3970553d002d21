//! Webhooks: endpoints, messages and what became of them.

mod dispatch;
mod queries;
mod repo;
mod row;
