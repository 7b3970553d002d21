//! Credentials: password hashes, access tokens, codes of apps, passkeys, signatures of webhooks, sealing and keyed hashes; all cryptography
//! stands behind the domain's ports here, or is a pure function of what it is given.

mod mac;
mod master_key;
mod passkeys;
mod passwords;
mod sealer;
mod signing_key;
mod tokens;
mod totp;
mod verified;
mod webhook_sign;
pub mod webhook_verify;

pub use mac::KeyedHash;
pub use master_key::{MasterKey, WeakKey};
pub use passkeys::WebAuthn;
pub use passwords::{Argon2Cost, Passwords};
pub use sealer::Seal;
pub use signing_key::NewKeys;
pub use tokens::{EdDsaTokens, TokenRules};
pub use totp::Hotp;
pub use webhook_sign::WebhookSigner;
