//! What a client keeps between the two halves of a ceremony: sealed, so that any node can end it and nobody can change it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ports::Opened;
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::UserId,
    secrets::{Sealer, hex, unhex},
};

/// How long a ceremony may take.
pub const CEREMONY: Duration = Duration::from_mins(5);

/// What is to become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Registration,
    SignIn,
}

impl Kind {
    /// What it is sealed for: the one cannot be ended as the other.
    fn name(self) -> &'static str {
        match self {
            Self::Registration => "passkey/registration",
            Self::SignIn => "passkey/sign_in",
        }
    }
}

/// A ceremony that has begun, for the client. `Debug` does not show it.
#[derive(Clone, PartialEq)]
pub struct Begun {
    /// What comes back with the answer, in hexadecimal digits. It is good once.
    pub ceremony: String,
    /// What the browser is to be given.
    pub options: Value,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) state: Vec<u8>,
    pub(super) user: Option<UserId>,
    pub(super) until: Timestamp,
}

/// Seals what a ceremony needs to be ended.
pub(super) fn begin(
    sealer: &dyn Sealer,
    kind: Kind,
    user: Option<UserId>,
    opened: Opened,
    now: Timestamp,
) -> Result<Begun> {
    let until = now + CEREMONY;
    let kept = serde_json::to_vec(&Kept { state: opened.state, user, until }).map_err(Error::internal)?;
    let ceremony = hex(&sealer.seal(kind.name(), &kept)?);
    Ok(Begun { ceremony, options: opened.options, expires_at: until })
}

/// Opens it; `None` for what Souk never sealed for this, and for what has ended.
pub(super) fn open(sealer: &dyn Sealer, kind: Kind, ceremony: &str, now: Timestamp) -> Option<Kept> {
    let plain = sealer.open(kind.name(), &unhex(ceremony)?).ok()?;
    let kept: Kept = serde_json::from_slice(&plain).ok()?;
    (now < kept.until).then_some(kept)
}
