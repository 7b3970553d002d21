//! What people and seller accounts look like in JSON.

pub mod by_mail;
pub mod deletion;
pub mod exports;
pub mod factors;
pub mod passkeys;
pub mod provider;
pub mod registration;
pub mod seller;
pub mod session;
pub mod user;
pub mod viewed;
