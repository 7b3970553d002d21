//! People and seller accounts.

mod action_codes;
mod seller;
mod signing_keys;
mod user;
mod user_queries;
