//! What identity needs from outside.

use std::time::Duration;

use async_trait::async_trait;

use super::{ActionCode, Email, Password, Profile, Pseudonym, Purpose, Seller, StoredSession, User};
use crate::{
    access::Ban,
    actor::Principal,
    behalf::Impersonator,
    clock::Timestamp,
    error::Result,
    id::{SellerId, SessionId, UserId},
    page::{Page, PageRequest},
    permission::Role,
};

/// The write side of people.
#[async_trait]
pub trait UserRepo: Send {
    /// Stores a new person; `false` when the address is taken.
    async fn insert(&mut self, user: &User, password_hash: &str) -> Result<bool>;

    /// The person of that address.
    async fn by_email(&mut self, email: &Email) -> Result<Option<UserId>>;

    /// The person of that id.
    async fn find(&mut self, id: UserId) -> Result<Option<User>>;

    /// Adds a role to a person's set; adding one they have changes nothing.
    async fn grant(&mut self, id: UserId, role: Role, at: Timestamp) -> Result<()>;

    /// Takes a role out of a person's set; taking out one they do not have changes nothing.
    async fn revoke(&mut self, id: UserId, role: Role, at: Timestamp) -> Result<()>;

    /// Gives a person this address, and says since when it is known to be theirs; `false` when it is somebody else's.
    async fn set_email(
        &mut self,
        id: UserId,
        email: &Email,
        verified: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<bool>;

    /// Gives a person this name.
    async fn set_name(&mut self, id: UserId, name: &str, at: Timestamp) -> Result<()>;

    /// When a person is to be deleted, if they asked for it.
    async fn deletion(&mut self, id: UserId) -> Result<Option<Timestamp>>;

    /// Says when a person is to be deleted, or that they are not.
    async fn set_deletion(&mut self, id: UserId, due: Option<Timestamp>) -> Result<()>;

    /// Makes a person a pseudonym, who can never sign in. What says anything of them goes: roles, keys, views, places, codes, tickets,
    /// bans, invitations to their address, what they are in rooms, answers kept for them, and what their sessions know of devices and
    /// addresses. What they wrote for others and did stays under their id.
    async fn erase(&mut self, id: UserId, pseudonym: &Pseudonym, at: Timestamp) -> Result<()>;

    /// Whether a person has a password.
    async fn has_password(&mut self, id: UserId) -> Result<bool>;

    /// Replaces the stored hash of a person's password.
    async fn set_password_hash(&mut self, id: UserId, hash: &str, at: Timestamp) -> Result<()>;
}

/// Codes that are good once.
#[async_trait]
pub trait ActionCodeRepo: Send {
    /// Keeps a code in place of the person's older one for the same purpose, with no guess counted. Forgets codes that
    /// have ended.
    async fn put(&mut self, code: &ActionCode, now: Timestamp) -> Result<()>;

    /// The person's code for a purpose, unless it has ended.
    async fn find(&mut self, user: UserId, purpose: Purpose, now: Timestamp) -> Result<Option<ActionCode>>;

    /// Takes the code of this digest out, unless it has ended. Of several who take it at once, one gets it.
    async fn take(&mut self, purpose: Purpose, digest: &[u8; 32], now: Timestamp) -> Result<Option<ActionCode>>;

    /// Counts a guess at the person's code and gives it; `None` when there is none, it has ended, or `most` guesses were
    /// counted before. Of several who guess at once each is counted.
    async fn guess(&mut self, user: UserId, purpose: Purpose, most: u32, now: Timestamp) -> Result<Option<ActionCode>>;

    /// Takes out every code of a person.
    async fn clear(&mut self, user: UserId) -> Result<()>;
}

/// Where people signed in from, by keyed hash. Written beside the transactions: no more than a memory that spares owners the
/// limits of strangers.
#[async_trait]
pub trait Places: Send + Sync {
    /// When this person was last noted at this place.
    async fn seen(&self, user: UserId, place: &[u8; 32]) -> Result<Option<Timestamp>>;

    /// Notes a person at a place, and forgets where they were not seen for [`PLACE_KEPT`]. Nobody is noted who is not there.
    async fn note(&self, user: UserId, place: &[u8; 32], now: Timestamp) -> Result<()>;
}

/// How long a place is known.
pub const PLACE_KEPT: Duration = Duration::from_hours(90 * 24);

/// The write side of seller accounts.
#[async_trait]
pub trait SellerRepo: Send {
    /// Stores a new account with its first owner; `false` when its slug is taken.
    async fn insert(&mut self, seller: &Seller, member: UserId) -> Result<bool>;

    /// The oldest account a person is a member of.
    async fn of_member(&mut self, user: UserId) -> Result<Option<SellerId>>;

    /// The account of that slug, with its first member.
    async fn by_slug(&mut self, slug: &str) -> Result<Option<Owner>>;

    /// The oldest accounts, at most `limit`, each with its first member.
    async fn oldest(&mut self, limit: u32) -> Result<Vec<Owner>>;
}

/// The write side of sessions.
#[async_trait]
pub trait SessionRepo: Send {
    /// Stores a new session; `false` when its person is gone, or when `verified` is given and is not the stored hash of their
    /// password any more. Until the transaction ends nobody changes the person.
    async fn insert(&mut self, session: &StoredSession, verified: Option<&str>) -> Result<bool>;

    /// The session of that id, over or not. Nobody else changes it until the transaction ends.
    async fn find(&mut self, id: SessionId) -> Result<Option<StoredSession>>;

    /// Stores all that may change of a session.
    async fn update(&mut self, session: &StoredSession) -> Result<()>;

    /// The sessions of a person that can be refreshed, or of which an access token may hold still. Waits for whoever signs the person in
    /// or changes them just now, and shows what they did.
    async fn live_of(&mut self, user: UserId, now: Timestamp) -> Result<Vec<StoredSession>>;

    /// The sessions in which an operator acts as somebody else and of which an access token may hold still: those begun from one
    /// session of theirs, or from any.
    async fn begun_by(
        &mut self,
        operator: UserId,
        from: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Vec<StoredSession>>;
}

/// The read side of sessions.
#[async_trait]
pub trait SessionQueries: Send + Sync {
    /// The sessions of a person that can be refreshed, the one used last first.
    async fn live(&self, user: UserId, now: Timestamp, page: PageRequest) -> Result<Page<StoredSession>>;

    /// The session of that id, over or not.
    async fn find(&self, id: SessionId) -> Result<Option<StoredSession>>;

    /// The sessions that were ended before their time and of which an access token may hold at `now` or later, each with when the last
    /// of them ends.
    async fn ended(&self, now: Timestamp) -> Result<Vec<(SessionId, Timestamp)>>;

    /// Removes sessions of which nothing would hold since `before` ([`StoredSession::over_at`]), at most `limit`, and gives how many.
    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64>;
}

/// A seller account and the person who stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The account.
    pub seller: SellerId,
    /// Its first member.
    pub user: UserId,
}

/// What sign-in reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The person.
    pub user: User,
    /// The seller account they act for, when there is one alone.
    pub seller: Option<SellerId>,
    /// Their ban.
    pub ban: Option<Ban>,
    /// The stored hash, in PHC or bcrypt form, or [`super::NO_PASSWORD`].
    pub password_hash: String,
}

/// The read side of people.
#[async_trait]
pub trait UserQueries: Send + Sync {
    /// Who this person is now: one statement, asked once per signed request. Who is banned is nobody.
    async fn principal(&self, id: UserId) -> Result<Option<Principal>>;

    /// The account behind an address.
    async fn account(&self, email: &Email) -> Result<Option<Account>>;

    /// The password hash of somebody: of the first address from this one on in the order of bytes, or of the first of all. It stands in
    /// for that of an address nobody has, so that both are checked for equally long (see [`super::Login::with_password`]).
    async fn hash_from(&self, address: &str) -> Result<Option<String>>;

    /// The account of a person, for whoever has to prove anew that they are that person.
    async fn own_account(&self, id: UserId) -> Result<Option<Account>>;

    /// When a person is to be deleted, if they asked for it.
    async fn deletion(&self, id: UserId) -> Result<Option<Timestamp>>;

    /// What a person sees of themselves.
    async fn profile(&self, id: UserId) -> Result<Option<Profile>>;
}

/// Hashes passwords. MUST run off the async threads, on a bounded number of them.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// A salted hash with its parameters, in PHC form.
    async fn hash(&self, password: &Password) -> Result<String>;

    /// Whether the password fits the hash, and whether the hash should be made anew with today's parameters.
    /// Without a hash it MUST take as long as with one and answer [`Verified::No`]; [`super::NO_PASSWORD`] counts as none.
    async fn verify(&self, password: &Password, hash: Option<&str>) -> Result<Verified>;
}

/// The answer of a password check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// It does not fit.
    No,
    /// It fits.
    Yes,
    /// It fits, and the hash is of an older kind.
    YesButOld,
}

/// A signed token and the moment it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// What the client sends as `Authorization: Bearer`.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Who signed in, and until when it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The sign-in.
    pub id: SessionId,
    /// The person.
    pub user: UserId,
    /// When the access token ends.
    pub until: Timestamp,
    /// The operator who acts as them, if it is not they themselves.
    pub impersonator: Option<Impersonator>,
}

/// Makes and reads access tokens.
pub trait Tokens: Send + Sync {
    /// A token for this person and session, which ends at `latest` at the latest.
    fn issue(&self, profile: &Profile, session: SessionId, latest: Timestamp, now: Timestamp) -> Result<AccessToken>;

    /// A token for an operator who acts as this person, which ends at `until`; it names both (RFC 8693).
    fn issue_to(
        &self,
        by: Impersonator,
        profile: &Profile,
        session: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<AccessToken>;

    /// The session of a valid token; `None` for every other text. Whether that session goes on is not known here.
    fn verify(&self, token: &str, now: Timestamp) -> Option<Session>;
}

/// A key that signs tokens, as it is stored: sealed, so that who reads the database cannot sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    /// Its name in the header of a token, unique.
    pub kid: String,
    /// What a [`crate::secrets::Sealer`] made of it.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs, until the next one does. It is published from the beginning, so that others know it by then.
    pub signs_from: Timestamp,
}

/// Where the keys that sign tokens are kept.
#[async_trait]
pub trait SigningKeys: Send + Sync {
    /// Every key, in the order in which they sign.
    async fn all(&self) -> Result<Vec<SealedKey>>;

    /// Stores a key unless one of its `kid` is there: of several nodes that start at once, one makes the key.
    async fn insert_if_absent(&self, key: &SealedKey) -> Result<()>;
}

/// The write side of the keys that sign tokens.
#[async_trait]
pub trait SigningKeyRepo: Send {
    /// Every key, in the order in which they sign. Nobody else changes them until the transaction ends.
    async fn keys(&mut self) -> Result<Vec<SealedKey>>;

    /// Stores a new key; `false` when one of its `kid` is there.
    async fn add(&mut self, key: &SealedKey) -> Result<bool>;

    /// Removes a key.
    async fn remove(&mut self, kid: &str) -> Result<()>;
}

/// Makes keys that sign tokens.
pub trait KeyMaker: Send + Sync {
    /// A new key of that name, sealed.
    fn make(&self, kid: &str) -> Result<Vec<u8>>;
}
