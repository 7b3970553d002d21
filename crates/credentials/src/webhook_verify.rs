//! Whether a webhook that came in was sent by who it says: signatures over the raw bytes, as senders make them.
//!
//! Every secret is tried against every signature and none ends the search, so the time an answer takes tells nothing of them.

mod key;
mod scheme;
mod template;

use std::time::Duration;

pub use domain::inbound::{Disbelief, Vouched};
use domain::{clock::Timestamp, inbound::ports::HookVerifier};

use self::key::Key;
pub use self::scheme::{Encoding, Hash, HmacScheme, Scheme};
pub use self::template::Template;

/// Signatures of one call that are looked at; each may cost a pass over the body.
const SIGNATURES_MAX: usize = 16;

/// What of a source is set wrongly; it never repeats a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSource {
    /// No secret at all.
    #[error("needs a secret")]
    NoSecret,
    /// One that is not written as its scheme writes them.
    #[error(
        "has a secret that is not of its scheme: `whsec_` or `whpk_` and base64 of 24 to 64 bytes, or any text of 8 bytes and more"
    )]
    Secret,
    /// A template that names what there is not, or leaves the body unsigned.
    #[error(
        "has a template that must have {{body}} once, and may have {{timestamp}} and {{id}} where a header is named for them"
    )]
    Template,
    /// A prefix or a header without characters, or with such as cannot be in one.
    #[error("names a header that cannot be one")]
    Header,
}

/// The headers of a call, in any order; names in small letters.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a>(pub &'a [(&'a str, &'a str)]);

impl<'a> Headers<'a> {
    /// The one value of a header. Two would let a sender have one of them verified and the other read.
    fn one(self, name: &str) -> Result<Option<&'a str>, Disbelief> {
        let mut values = self.0.iter().filter(|(known, _)| *known == name);
        let first = values.next().map(|(_, value)| *value);
        if values.next().is_some() { Err(Disbelief::Malformed(name.to_owned())) } else { Ok(first) }
    }

    fn needed(self, name: &str) -> Result<&'a str, Disbelief> {
        self.one(name)?.ok_or_else(|| Disbelief::Missing(name.to_owned()))
    }
}

/// Verifies what one source sends.
pub struct WebhookVerifier {
    scheme: Scheme,
    keys: Vec<Key>,
    tolerance: Duration,
}

impl std::fmt::Debug for WebhookVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookVerifier({:?}, {} secrets)", self.scheme, self.keys.len())
    }
}

impl WebhookVerifier {
    /// Verifies by a scheme and these secrets, of which any may have signed; `tolerance` holds to both sides of now.
    pub fn new(scheme: Scheme, secrets: &[&str], tolerance: Duration) -> Result<Self, BadSource> {
        scheme.check()?;
        let keys = secrets.iter().map(|secret| scheme.key(secret)).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(BadSource::NoSecret) } else { Ok(Self { scheme, keys, tolerance }) }
    }

    /// Whether one of the secrets signed these very bytes, not too long before `now` and not after it.
    pub fn verify(&self, headers: Headers<'_>, body: &[u8], now: Timestamp) -> Result<Vouched, Disbelief> {
        let claim = self.scheme.claim(headers)?;
        if let Some(at) = claim.at {
            let seconds = i64::try_from(self.tolerance.as_secs()).unwrap_or(i64::MAX);
            let age = now.signed_duration_since(at).num_seconds();
            if age > seconds {
                return Err(Disbelief::Old);
            }
            if age < -seconds {
                return Err(Disbelief::Early);
            }
        }
        if claim.signatures.len() > SIGNATURES_MAX {
            return Err(Disbelief::Wrong);
        }
        let parts: Vec<&[u8]> = claim.signed.iter().map(|part| part.as_deref().unwrap_or(body)).collect();
        let mut signed = false;
        for key in &self.keys {
            signed |= key.made_any(&claim.signatures, &parts);
        }
        if signed { Ok(Vouched { id: claim.id, at: claim.at }) } else { Err(Disbelief::Wrong) }
    }
}

impl HookVerifier for WebhookVerifier {
    fn verify(&self, headers: &[(&str, &str)], body: &[u8], now: Timestamp) -> Result<Vouched, Disbelief> {
        Self::verify(self, Headers(headers), body, now)
    }
}

#[cfg(test)]
mod tests;
