//! Secrets that sign webhooks: kept sealed, several at a time while one follows another.

use std::{fmt, time::Duration};

use crate::{
    clock::{Entropy, Timestamp},
    error::Result,
    id::{EndpointId, WebhookMessageId},
};

/// For how long the secret before the present one signs too.
pub const OVERLAP: Duration = Duration::from_hours(24);
/// Most secrets that sign beside the present one.
pub const OLD_SECRETS: usize = 10;

/// How a secret signs, by Standard Webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `v1`: HMAC-SHA256, with one secret for both sides.
    Hmac,
    /// `v1a`: Ed25519; the receiver has the public key alone.
    Ed25519,
}

impl Algorithm {
    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hmac => "hmac-sha256",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The algorithm of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Hmac, Self::Ed25519].into_iter().find(|one| one.name() == name)
    }
}

/// A secret in the form of Standard Webhooks, such as `whsec_` and Base64. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// This text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, to be shown to its owner or to be sealed.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// A secret as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSecret {
    /// Its number at its endpoint; the highest is the present one.
    pub number: u32,
    /// How it signs.
    pub algorithm: Algorithm,
    /// The sealed text.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops to sign; `None` for the present one.
    pub expires_at: Option<Timestamp>,
}

/// For what place a secret is sealed.
pub fn seal_context(endpoint: EndpointId) -> String {
    format!("webhook_secret/{endpoint}")
}

/// Makes secrets and signs with them.
pub trait Signer: Send + Sync {
    /// A new secret: `whsec_..` or `whsk_..`.
    fn draw(&self, algorithm: Algorithm, entropy: &dyn Entropy) -> SecretText;

    /// What the receiver verifies with: the secret itself, or `whpk_..` for Ed25519.
    ///
    /// # Errors
    /// For a text that is no secret.
    fn shown(&self, secret: &SecretText) -> Result<SecretText>;

    /// The value of `webhook-signature`: one signature for each secret.
    ///
    /// # Errors
    /// For a text that is no secret.
    fn sign(&self, secrets: &[SecretText], id: WebhookMessageId, at: Timestamp, body: &str) -> Result<String>;
}
