//! Conversations with the assistant, and what is said in them.

mod memories;
mod queries;
mod repo;
mod row;
