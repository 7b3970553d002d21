//! A passkey as its person sees it.

use crate::{
    clock::Timestamp,
    error::Breach,
    id::{PasskeyId, UserId},
    text,
};

/// A passkey.
#[derive(Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// Whose it is.
    pub user: UserId,
    /// What they call it, 1 to 100 characters.
    pub name: String,
    /// The id of its credential, which the authenticator chose. Unique.
    pub credential: Vec<u8>,
    /// Its public key with what was said of it, such as its counter, in the form of who checks it.
    pub key: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody last signed in by it.
    pub last_used_at: Option<Timestamp>,
}

impl std::fmt::Debug for Passkey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passkey").field("id", &self.id).field("user", &self.user).finish_non_exhaustive()
    }
}

/// Reads what a passkey is to be called.
pub fn passkey_name(text: &str) -> Result<String, Breach> {
    text::line(text, 1, 100)
}
