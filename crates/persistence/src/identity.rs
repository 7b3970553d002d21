//! People and seller accounts.

mod seller;
mod user;
mod user_queries;
