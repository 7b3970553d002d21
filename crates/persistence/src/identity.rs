//! People and seller accounts.

mod action_codes;
mod challenges;
mod erase;
mod exports;
mod factors;
mod foreign_ids;
mod passkeys;
mod personal;
mod seller;
mod session;
mod session_queries;
mod signing_keys;
mod user;
mod user_queries;

pub use personal::personal_columns;
