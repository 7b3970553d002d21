//! Passkeys (WebAuthn): keys that a phone, a computer or a stick keeps, and unlocks by finger, face or PIN.

mod ceremony;
mod change;
mod desk;
mod passkey;
pub mod ports;
mod register;
mod sign_in;

pub use ceremony::{Begun, CEREMONY};
pub use change::{delete_passkey, rename_passkey};
pub use desk::Passkeys;
pub use passkey::{Passkey, passkey_name};
pub use register::{NewPasskey, begin_passkey, create_passkey};
pub use sign_in::PasskeyAnswer;
