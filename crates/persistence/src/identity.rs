//! People and seller accounts.

mod seller;
mod session;
mod session_queries;
mod signing_keys;
mod user;
mod user_queries;
