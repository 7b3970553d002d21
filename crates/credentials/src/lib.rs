//! Credentials: password hashes, access tokens, codes of apps, passkeys, sealing and keyed hashes; all cryptography stands behind the domain's
//! ports here.

mod mac;
mod master_key;
mod passkeys;
mod passwords;
mod sealer;
mod signing_key;
mod tokens;
mod totp;
mod verified;

pub use mac::KeyedHash;
pub use master_key::{MasterKey, WeakKey};
pub use passkeys::WebAuthn;
pub use passwords::{Argon2Cost, Passwords};
pub use sealer::Seal;
pub use signing_key::NewKeys;
pub use tokens::{EdDsaTokens, TokenRules};
pub use totp::Hotp;
