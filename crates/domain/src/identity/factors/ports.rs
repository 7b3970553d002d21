//! What second factors need from outside.

use async_trait::async_trait;

use super::{StoredChallenge, StoredTotp};
use crate::{clock::Timestamp, error::Result, id::UserId};

/// Makes the codes of authenticator apps: HOTP of RFC 4226 with SHA-1, which is what every app knows.
pub trait OneTimeCodes: Send + Sync {
    /// The code of six digits for a counter.
    fn code(&self, secret: &[u8], counter: u64) -> Result<u32>;
}

/// The write side of second factors.
#[async_trait]
pub trait FactorRepo: Send {
    /// The person's authenticator app, confirmed or not. Nobody else changes it until the transaction ends.
    async fn totp(&mut self, user: UserId) -> Result<Option<StoredTotp>>;

    /// Keeps an app that is to be confirmed, in place of another that was not; `false` when one is confirmed.
    async fn put_totp(&mut self, totp: &StoredTotp) -> Result<bool>;

    /// Says that the app is the person's from now on.
    async fn confirm_totp(&mut self, user: UserId, at: Timestamp) -> Result<()>;

    /// Notes that the code of a step was used. `false` when that one, or a later one, was before: of several who use a code at
    /// once one gets `true`.
    async fn use_step(&mut self, user: UserId, step: i64) -> Result<bool>;

    /// Takes the app and the recovery codes away; `false` when there was no app.
    async fn remove_totp(&mut self, user: UserId) -> Result<bool>;

    /// Keeps these recovery codes, by keyed hash, in place of those there were.
    async fn put_recovery(&mut self, user: UserId, digests: &[[u8; 32]]) -> Result<()>;

    /// Uses a recovery code up; `false` when there is none. Of several who use one at once, one gets `true`.
    async fn take_recovery(&mut self, user: UserId, digest: &[u8; 32]) -> Result<bool>;
}

/// The write side of sign-ins that wait for their second factor, and of ceremonies that are good once.
#[async_trait]
pub trait ChallengeRepo: Send {
    /// Keeps a challenge; `false` when its person is gone, or when `verified` is given and is not the stored hash of their password any
    /// more. Forgets what has ended.
    async fn put(&mut self, challenge: &StoredChallenge, verified: Option<&str>, now: Timestamp) -> Result<bool>;

    /// Counts a guess at a challenge and gives it; `None` when there is none, it has ended, or `most` guesses were counted before.
    /// Of several who guess at once each is counted.
    async fn guess(&mut self, digest: &[u8; 32], most: u32, now: Timestamp) -> Result<Option<StoredChallenge>>;

    /// Takes a challenge out; `false` when there is none, or it has ended. Of several who take it at once, one gets `true`.
    async fn take(&mut self, digest: &[u8; 32], now: Timestamp) -> Result<bool>;

    /// Takes out every challenge of a person.
    async fn clear(&mut self, user: UserId) -> Result<()>;

    /// Notes that a ceremony was used, until it would have ended; `false` when it was before. Forgets those that have ended.
    async fn spend(&mut self, ceremony: &[u8; 32], until: Timestamp, now: Timestamp) -> Result<bool>;
}

/// By what a person can prove who they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ways {
    /// Whether they have a password.
    pub password: bool,
    /// Since when they have an authenticator app.
    pub totp: Option<Timestamp>,
    /// Recovery codes that were not used.
    pub recovery_codes: u32,
    /// Passkeys.
    pub passkeys: u32,
}

/// The read side of second factors.
#[async_trait]
pub trait FactorQueries: Send + Sync {
    /// By what a person can prove who they are; `None` for nobody.
    async fn ways(&self, user: UserId) -> Result<Option<Ways>>;
}
