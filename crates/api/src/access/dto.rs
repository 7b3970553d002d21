//! What people, roles and API keys look like in JSON.

pub mod impersonation;
pub mod key;
pub mod permission;
pub mod person;
pub mod role;
pub mod session;
