//! Signatures of webhooks that a test makes by itself.

use std::time::Duration;

use super::PlainMac;
use crate::{
    clock::Timestamp,
    inbound::{Disbelief, Vouched, ports::HookVerifier},
    secrets::{Mac as _, hex},
};

/// Believes what [`PlainHooks::headers`] signed, within five minutes.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainHooks;

impl PlainHooks {
    /// The headers of a call that was signed then.
    pub fn headers(id: &str, body: &[u8], at: Timestamp) -> [(&'static str, String); 3] {
        let at = at.timestamp().to_string();
        let signature = Self::signature(id, &at, body);
        [("plain-id", id.to_owned()), ("plain-at", at), ("plain-signature", signature)]
    }

    fn signature(id: &str, at: &str, body: &[u8]) -> String {
        hex(&PlainMac.mac(&[id.as_bytes(), b".", at.as_bytes(), b".", body].concat()))
    }
}

impl HookVerifier for PlainHooks {
    fn verify(&self, headers: &[(&str, &str)], body: &[u8], now: Timestamp) -> Result<Vouched, Disbelief> {
        let one = |name: &str| {
            let found = headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| *value).ok_or_else(|| Disbelief::Missing(name.to_owned()))
        };
        let (id, at, signature) = (one("plain-id")?, one("plain-at")?, one("plain-signature")?);
        let signed = at.parse().ok().and_then(|seconds| Timestamp::from_timestamp(seconds, 0));
        let signed = signed.ok_or_else(|| Disbelief::Malformed("plain-at".to_owned()))?;
        let tolerance = Duration::from_mins(5);
        if signed + tolerance < now {
            return Err(Disbelief::Old);
        }
        if signed > now + tolerance {
            return Err(Disbelief::Early);
        }
        if signature != Self::signature(id, at, body) {
            return Err(Disbelief::Wrong);
        }
        let id = Some(id.to_owned()).filter(|id| !id.is_empty());
        Ok(Vouched { id, at: Some(signed) })
    }
}
