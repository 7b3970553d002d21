//! Idempotency keys: a command sent twice has its effect once and its answer twice (ruling R17).

use async_trait::async_trait;

use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::UserId,
};

/// A key within its scope. Two callers, or two operations, may use the same key without meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Who sent it; `None` for an operation open to everybody.
    pub actor: Option<UserId>,
    /// The operation, such as `create_product`.
    pub operation: &'static str,
    /// What the client chose, 1 to 255 visible characters.
    pub key: String,
    /// A digest of the request; the same key with another digest is refused.
    pub fingerprint: [u8; 32],
}

/// An answer as it was given the first time; its meaning belongs to the door that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status, as the door counts it.
    pub status: u16,
    /// Header lines that matter to the client, such as `Location`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What the store knows of a key at the begin of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Never seen, and now held until the transaction ends.
    Fresh,
    /// Done before; this was the answer.
    Replay(Reply),
    /// Seen with another request.
    Mismatch,
    /// Another transaction holds it now.
    InFlight,
}

/// The refusal of a key that was seen with another request.
pub(crate) fn used_before() -> Error {
    Error::Unprocessable("Idempotency-Key was used before with a different request; send a new key".to_owned())
}

/// Idempotency keys, written in the transaction of the effect.
#[async_trait]
pub trait IdempotencyKeys: Send {
    /// Takes the key for this transaction, without waiting. `since` is the oldest moment an answer is kept from.
    async fn claim(&mut self, key: &Key, since: Timestamp) -> Result<Claim>;

    /// Keeps the answer, in place of what was kept before. MUST follow a claim of who sent the key, in the same transaction, or in one that
    /// kept a sign that the answer is being made.
    async fn keep(&mut self, key: &Key, reply: &Reply, at: Timestamp) -> Result<()>;
}

/// The wish of a caller that a command be done once, with the way its result is turned into an answer.
pub struct Once<'a, T> {
    /// The key, when the caller sent one.
    pub key: Option<Key>,
    /// Makes the answer to keep.
    pub render: &'a (dyn Fn(&T) -> Reply + Send + Sync),
}

impl<T> std::fmt::Debug for Once<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Once").field("key", &self.key).finish_non_exhaustive()
    }
}

impl<T> Once<'_, T> {
    /// No key: the command is done as often as it is sent.
    pub fn always() -> Self {
        Self { key: None, render: &|_| Reply { status: 0, headers: Vec::new(), body: Vec::new() } }
    }
}

/// The result of a command that may have been done before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// Done now.
    Fresh(T),
    /// Done before, with this answer.
    Replay(Reply),
}

impl<T> Outcome<T> {
    /// The value of a command done now; `None` for a replay.
    pub fn fresh(self) -> Option<T> {
        match self {
            Self::Fresh(value) => Some(value),
            Self::Replay(_) => None,
        }
    }
}
