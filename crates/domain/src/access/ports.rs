//! What access needs from outside.

use async_trait::async_trait;

use super::{ApiKey, Ban, StoredRole};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{ApiKeyId, RoleId, SellerId, UserId},
    identity::{Sellers, User},
    page::{Page, PageRequest},
    permission::Role,
};

/// The write side of roles.
#[async_trait]
pub trait RoleRepo: Send {
    /// Stores a new role; `false` when the name is taken.
    async fn insert(&mut self, role: &StoredRole) -> Result<bool>;

    /// The role of that name. It is held until the transaction ends: of those that change it, give it or take it, one goes
    /// after the other.
    async fn find(&mut self, name: &str) -> Result<Option<StoredRole>>;

    /// Replaces what is stored of a role.
    async fn update(&mut self, role: &StoredRole) -> Result<()>;

    /// Removes a role, and takes it from everybody who has it.
    async fn delete(&mut self, id: RoleId, role: Role) -> Result<()>;

    /// How many people have a role and are not banned.
    async fn holders(&mut self, role: Role) -> Result<u64>;
}

/// The read side of roles.
#[async_trait]
pub trait RoleQueries: Send + Sync {
    /// Every role, from least to most.
    async fn all(&self) -> Result<Vec<StoredRole>>;
}

/// The write side of bans.
#[async_trait]
pub trait BanRepo: Send {
    /// The ban of a person.
    async fn find(&mut self, user: UserId) -> Result<Option<Ban>>;

    /// Bans a person, in place of the ban they had.
    async fn put(&mut self, ban: &Ban) -> Result<()>;

    /// Lifts a ban; `false` when there was none.
    async fn lift(&mut self, user: UserId) -> Result<bool>;
}

/// A person as whoever runs the installation sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub user: User,
    /// The seller accounts they are a member of.
    pub sellers: Sellers,
    /// Their ban.
    pub ban: Option<Ban>,
}

/// Which people are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeopleFilter {
    /// Those whose address or name begins with this; letters of ASCII in either case.
    pub search: Option<String>,
    /// Those who have this role, by its name.
    pub role: Option<String>,
    /// Those who are banned, or who are not.
    pub banned: Option<bool>,
}

/// The read side of people for whoever runs the installation.
#[async_trait]
pub trait PeopleQueries: Send + Sync {
    /// Those who fit, the newest first.
    async fn people(&self, filter: &PeopleFilter, page: PageRequest) -> Result<Page<Person>>;

    /// One of them.
    async fn person(&self, id: UserId) -> Result<Option<Person>>;
}

/// The write side of API keys.
#[async_trait]
pub trait ApiKeyRepo: Send {
    /// Stores a new key with the keyed hash of its text.
    async fn insert(&mut self, key: &ApiKey, digest: &[u8; 32]) -> Result<()>;

    /// The key of that id.
    async fn find(&mut self, id: ApiKeyId) -> Result<Option<ApiKey>>;

    /// Replaces the name of a key and the models it is for.
    async fn update(&mut self, key: &ApiKey) -> Result<()>;

    /// Removes a key.
    async fn delete(&mut self, id: ApiKeyId) -> Result<()>;

    /// How many keys a person has, or a seller account.
    async fn count(&mut self, of: KeysOf) -> Result<u64>;
}

/// Whose keys are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysOf {
    /// Those of a person, without those they made for seller accounts.
    User(UserId),
    /// Those of a seller account, whoever made them.
    Seller(SellerId),
}

/// The read side of API keys.
#[async_trait]
pub trait ApiKeyQueries: Send + Sync {
    /// A key with the keyed hash of its text: asked once per request that comes with one. A person's own keys rest while their deletion
    /// waits to come; those they made for seller accounts are the account's.
    async fn held(&self, id: ApiKeyId) -> Result<Option<HeldKey>>;

    /// A key as it is shown.
    async fn get(&self, id: ApiKeyId) -> Result<Option<ApiKey>>;

    /// Somebody's keys, the newest first.
    async fn list(&self, of: KeysOf, page: PageRequest) -> Result<Page<ApiKey>>;

    /// Notes when keys were last used, of each the latest; keys that are gone are left out. Telemetry (ruling R22).
    async fn used(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<()>;
}

/// A key with what its text is compared with.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HeldKey {
    /// The key.
    pub key: ApiKey,
    /// The keyed hash of its text.
    pub digest: [u8; 32],
}
