//! People and seller accounts.

mod action_codes;
mod challenges;
mod factors;
mod passkeys;
mod seller;
mod session;
mod session_queries;
mod signing_keys;
mod user;
mod user_queries;
