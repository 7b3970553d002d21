//! What the memory store holds.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    audit::AuditEntry,
    catalog::{Category, Product, Review},
    clock::Timestamp,
    event::Event,
    id::{CategoryId, JobId, ProductId, ReviewId, SellerId, UserId},
    idempotency::{Key, Reply},
    identity::{ActionCode, Seller, User, ports::Owner},
    job::StoredJob,
    schedule::Run,
};

use super::rooms::Rooms;

/// Everything, as one transaction sees it.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub users: BTreeMap<UserId, StoredUser>,
    pub codes: BTreeMap<(UserId, &'static str), (ActionCode, u32)>,
    pub sellers: BTreeMap<SellerId, StoredSeller>,
    pub products: BTreeMap<ProductId, Product>,
    /// Slugs products had before, with who had them last.
    pub old_slugs: BTreeMap<String, ProductId>,
    pub categories: BTreeMap<CategoryId, Category>,
    /// Changes of the category tree so far.
    pub tree_version: u64,
    pub reviews: BTreeMap<ReviewId, Review>,
    pub views: BTreeMap<(UserId, ProductId), Timestamp>,
    pub keys: BTreeMap<KeyScope, StoredKey>,
    pub events: Vec<Event>,
    pub audit: Vec<AuditEntry>,
    pub jobs: BTreeMap<JobId, StoredJob>,
    pub inbox: BTreeMap<(String, Uuid), Timestamp>,
    /// How far entries of the schedule were looked at.
    pub looked_at: BTreeMap<String, Timestamp>,
    pub runs: BTreeMap<(String, Timestamp), Run>,
    pub rooms: Rooms,
}

#[derive(Debug, Clone)]
pub(super) struct StoredUser {
    pub user: User,
    pub password_hash: String,
}

#[derive(Debug, Clone)]
pub(super) struct StoredSeller {
    pub seller: Seller,
    pub members: Vec<UserId>,
}

impl StoredSeller {
    pub(super) fn owner(&self) -> Option<Owner> {
        self.members.first().map(|user| Owner { seller: self.seller.id, user: *user })
    }
}

/// Two keys of one scope meet, whatever their request was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyScope(Option<UserId>, &'static str, String);

impl KeyScope {
    pub(super) fn of(key: &Key) -> Self {
        Self(key.actor, key.operation, key.key.clone())
    }
}

#[derive(Debug, Clone)]
pub(super) struct StoredKey {
    pub fingerprint: [u8; 32],
    pub reply: Reply,
    pub at: Timestamp,
}

impl State {
    /// The products that are not deleted.
    pub(super) fn live(&self) -> impl Iterator<Item = &Product> {
        self.products.values().filter(|product| product.deleted.is_none())
    }

    /// The account a person acts for.
    pub(super) fn seller_of(&self, user: UserId) -> Option<SellerId> {
        self.sellers.values().find(|stored| stored.members.contains(&user)).map(|stored| stored.seller.id)
    }
}
