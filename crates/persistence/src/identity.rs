//! People and seller accounts.

mod action_codes;
mod challenges;
mod erase;
mod factors;
mod foreign_ids;
mod passkeys;
mod seller;
mod session;
mod session_queries;
mod signing_keys;
mod user;
mod user_queries;
