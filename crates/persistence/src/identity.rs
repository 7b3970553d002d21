//! People and seller accounts.

mod seller;
mod signing_keys;
mod user;
mod user_queries;
