//! What signing in elsewhere needs from outside.

use std::sync::Arc;

use async_trait::async_trait;

use super::{ForeignId, Link, Stranger, Vouched};
use crate::{clock::Timestamp, error::Result, id::UserId, identity::Email};

/// The write side of who is who elsewhere.
#[async_trait]
pub trait ForeignIdRepo: Send {
    /// Whose account somebody elsewhere is linked to.
    async fn user_of(&mut self, id: &ForeignId) -> Result<Option<UserId>>;

    /// Links them; `false` when they are linked already, or the person has another identity of that provider.
    async fn insert(&mut self, link: &Link) -> Result<bool>;

    /// What a person is linked to. Nobody else changes that until the transaction ends.
    async fn of(&mut self, user: UserId) -> Result<Vec<Link>>;

    /// Takes away what links a person to a provider.
    async fn remove(&mut self, user: UserId, provider: &str) -> Result<()>;

    /// Notes the address that somebody has elsewhere now.
    async fn set_email(&mut self, id: &ForeignId, email: &Email) -> Result<()>;
}

/// What was last told of somebody elsewhere. It outlasts their account, and names nobody here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// By the clock there, how late the latest news were; `None` before any.
    pub told_at: Option<Timestamp>,
    /// They are banned there.
    pub barred: bool,
    /// They are there no more.
    pub gone: bool,
}

/// What issuers told of people, by a digest of who they are there.
#[async_trait]
pub trait StandingRepo: Send {
    /// What was told of somebody. Nobody else reads or changes it until the transaction ends, also when nothing was told yet.
    async fn hold(&mut self, id: &ForeignId) -> Result<Standing>;

    /// Notes what was told of somebody who is held.
    async fn set(&mut self, id: &ForeignId, standing: &Standing) -> Result<()>;
}

/// The write side of sign-ins that are under way: each step is sealed, and taken once.
#[async_trait]
pub trait SignInStepRepo: Send {
    /// Keeps a step until then. Forgets those that have ended.
    async fn put(&mut self, digest: &[u8; 32], sealed: &[u8], until: Timestamp, now: Timestamp) -> Result<()>;

    /// Takes the step of this digest out, unless it has ended. Of several who take it at once, one gets it.
    async fn take(&mut self, digest: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>>;
}

/// The read side of who is who elsewhere.
#[async_trait]
pub trait ForeignIdQueries: Send + Sync {
    /// Whose account somebody elsewhere is linked to.
    async fn user_of(&self, id: &ForeignId) -> Result<Option<UserId>>;

    /// What a person is linked to, the oldest first.
    async fn of(&self, user: UserId) -> Result<Vec<Link>>;
}

/// A provider as people choose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its name in addresses, such as `google`.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// It answers by a form that the browser posts from its page, as Apple does.
    pub posts: bool,
}

/// What a provider is asked with.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Comes back with the answer.
    pub state: &'a str,
    /// Comes back within the identity token.
    pub nonce: &'a str,
    /// What the code is redeemed with; the provider is told its challenge.
    pub verifier: &'a str,
    /// Where the answer goes to.
    pub redirect: &'a str,
}

/// What a provider answered with, and what it was asked with.
#[derive(Debug, Clone, Copy)]
pub struct Brought<'a> {
    /// The code.
    pub code: &'a str,
    /// What it calls itself, where it says so (RFC 9207).
    pub issuer: Option<&'a str>,
    /// The name of the person, where it stands beside the code.
    pub name: Option<&'a str>,
    /// As in [`Ask`].
    pub nonce: &'a str,
    /// As in [`Ask`].
    pub verifier: &'a str,
    /// As in [`Ask`].
    pub redirect: &'a str,
}

/// Why nobody was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declined {
    /// The provider is away.
    Away,
    /// It does not vouch for anybody with this, or what it says does not hold.
    Refused,
}

/// The providers that people may sign in with.
#[async_trait]
pub trait Providers: Send + Sync {
    /// All of them, in order.
    fn all(&self) -> &[Provider];

    /// Where a browser is sent to sign in; `None` when there is no such provider.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the provider would have to be asked and is away.
    async fn address(&self, provider: &str, ask: Ask<'_>) -> Result<Option<String>>;

    /// Redeems a code: who signed in there. Nothing that the provider gave for it is kept.
    async fn identify(&self, provider: &str, brought: Brought<'_>) -> Result<Stranger, Declined>;

    /// The challenge that fits a verifier: S256 of RFC 7636.
    fn challenge(&self, verifier: &str) -> String;
}

/// The issuers whose access tokens are believed.
#[async_trait]
pub trait Issuers: Send + Sync {
    /// Whom a token is about; `None` when it is of none of them, or does not hold.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when it is of one of them whose keys cannot be had.
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Option<Arc<Vouched>>>;
}
