//! What passkeys need from outside.

use async_trait::async_trait;
use serde_json::Value;

use super::Passkey;
use crate::{
    clock::Timestamp,
    error::Result,
    id::{PasskeyId, UserId},
    identity::User,
    page::{Page, PageRequest},
};

/// A ceremony that has begun.
#[derive(Clone, PartialEq)]
pub struct Opened {
    /// What the browser is to be given: the options of the W3C's `navigator.credentials`.
    pub options: Value,
    /// What is needed to end it. Not for others to see or to change.
    pub state: Vec<u8>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened(..)")
    }
}

/// A credential that was proved.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id, which the authenticator chose.
    pub id: Vec<u8>,
    /// Its public key with what was said of it, as it is kept.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// Carries ceremonies out by the rules of the W3C (Web Authentication, Level 3). MUST demand that the authenticator knew its person by
/// finger, face or PIN, that the page was one of ours, and that the credential can be found without a name. Makes no network
/// calls, and takes little enough time to be called within a transaction.
pub trait Ceremonies: Send + Sync {
    /// Begins to register a credential of a person, other than those they have.
    fn begin_registration(&self, user: &User, have: &[Vec<u8>]) -> Result<Opened>;

    /// Ends it; `None` for an answer that proves nothing.
    fn end_registration(&self, state: &[u8], answer: &Value) -> Result<Option<Credential>>;

    /// Begins a sign-in of somebody unknown.
    fn begin_sign_in(&self) -> Result<Opened>;

    /// The credential that an answer says it is of; `None` for what is no answer.
    fn claimed(&self, answer: &Value) -> Option<Vec<u8>>;

    /// Ends a sign-in by this credential of this person, and gives it as it is to be kept from now on; `None` for an answer that
    /// proves nothing, and when its counter went back: then somebody may have copied it.
    fn end_sign_in(&self, state: &[u8], answer: &Value, user: UserId, known: &Credential)
    -> Result<Option<Credential>>;
}

/// The write side of passkeys.
#[async_trait]
pub trait PasskeyRepo: Send {
    /// Stores a new passkey; `false` when its credential is known already, or its person is gone.
    async fn insert(&mut self, passkey: &Passkey) -> Result<bool>;

    /// The passkey of that id.
    async fn find(&mut self, id: PasskeyId) -> Result<Option<Passkey>>;

    /// The passkey of a credential. Nobody else changes it until the transaction ends.
    async fn by_credential(&mut self, credential: &[u8]) -> Result<Option<Passkey>>;

    /// The credentials of a person, oldest first. Waits for whoever adds or deletes one of theirs just now.
    async fn credentials(&mut self, user: UserId) -> Result<Vec<Vec<u8>>>;

    /// Notes that it was used, with its key as it is from now on.
    async fn used(&mut self, id: PasskeyId, key: &[u8], at: Timestamp) -> Result<()>;

    /// Gives it another name.
    async fn rename(&mut self, id: PasskeyId, name: &str) -> Result<()>;

    /// Removes it.
    async fn delete(&mut self, id: PasskeyId) -> Result<()>;
}

/// The read side of passkeys.
#[async_trait]
pub trait PasskeyQueries: Send + Sync {
    /// The passkeys of a person, the newest first.
    async fn list(&self, user: UserId, page: PageRequest) -> Result<Page<Passkey>>;

    /// The passkey of that id, if it is this person's.
    async fn get(&self, user: UserId, id: PasskeyId) -> Result<Option<Passkey>>;
}
