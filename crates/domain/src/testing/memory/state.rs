//! What the memory store holds.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::{
    access::{Ban, StoredRole, ports::HeldKey},
    assets::{
        Digest, Holder,
        files::{Grant, ProductFile},
        lfs::{Library, Lock, Object},
        models::{Model, Version, VersionNumber},
        ports::Held,
        uploads::{Part, Resumable},
    },
    audit::AuditEntry,
    catalog::{Category, Product, Review},
    clock::Timestamp,
    event::Event,
    id::{
        ApiKeyId, CategoryId, ExportId, FileId, HookEventId, InvitationId, JobId, LibraryId, LockId, ModelId,
        PasskeyId, ProductId, ReviewId, SellerId, SessionId, UploadId, UserId,
    },
    idempotency::{Key, Reply},
    identity::{
        ActionCode, ForeignId, Passkey, Seller, Sellers, StoredSession, User,
        exports::DataExport,
        factors::{StoredChallenge, StoredTotp},
        outside::{Link, ports::Standing},
        ports::{Owner, SealedKey},
    },
    inbound::HookEvent,
    job::StoredJob,
    organisation::{Invitation, MemberRole},
    permission::{Permissions, Roles},
    schedule::Run,
};

use super::{conversations::Conversations, ledger::Books, rooms::Rooms, webhooks::Webhooks};

/// Everything, as one transaction sees it.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub users: BTreeMap<UserId, StoredUser>,
    pub deletions: BTreeMap<UserId, Timestamp>,
    /// Those who are pseudonyms.
    pub erased: BTreeSet<UserId>,
    pub codes: BTreeMap<(UserId, &'static str), (ActionCode, u32)>,
    pub totp: BTreeMap<UserId, StoredTotp>,
    pub recovery: BTreeSet<(UserId, [u8; 32])>,
    /// Each with the guesses counted.
    pub challenges: BTreeMap<[u8; 32], (StoredChallenge, u32)>,
    /// Ceremonies that were used, with when they would have ended.
    pub spent: BTreeMap<[u8; 32], Timestamp>,
    pub passkeys: BTreeMap<PasskeyId, Passkey>,
    /// Each with its sealed chunks.
    pub exports: BTreeMap<ExportId, (DataExport, Vec<Vec<u8>>)>,
    pub sellers: BTreeMap<SellerId, StoredSeller>,
    pub sessions: BTreeMap<SessionId, StoredSession>,
    pub signing_keys: Vec<SealedKey>,
    pub products: BTreeMap<ProductId, Product>,
    /// Slugs products had before, with who had them last.
    pub old_slugs: BTreeMap<String, ProductId>,
    pub categories: BTreeMap<CategoryId, Category>,
    /// Changes of the category tree so far.
    pub tree_version: u64,
    pub reviews: BTreeMap<ReviewId, Review>,
    pub views: BTreeMap<(UserId, ProductId), Timestamp>,
    pub vectors: super::vectors::Vectors,
    pub blobs: BTreeMap<Digest, Held>,
    pub libraries: BTreeMap<LibraryId, Library>,
    pub library_objects: BTreeMap<(LibraryId, Digest), Object>,
    pub library_locks: BTreeMap<LockId, Lock>,
    pub uploads: BTreeMap<UploadId, Resumable>,
    pub upload_parts: BTreeMap<(UploadId, u64), Part>,
    pub usage: BTreeMap<Holder, u64>,
    pub models: BTreeMap<ModelId, Model>,
    pub model_versions: BTreeMap<(ModelId, VersionNumber), Version>,
    pub files: BTreeMap<FileId, ProductFile>,
    pub grants: BTreeMap<(ProductId, UserId), Grant>,
    pub keys: BTreeMap<KeyScope, StoredKey>,
    pub events: Vec<Event>,
    pub audit: Vec<AuditEntry>,
    pub jobs: BTreeMap<JobId, StoredJob>,
    pub inbox: BTreeMap<(String, Uuid), Timestamp>,
    /// How far entries of the schedule were looked at.
    pub looked_at: BTreeMap<String, Timestamp>,
    pub runs: BTreeMap<(String, Timestamp), Run>,
    pub rooms: Rooms,
    pub webhooks: Webhooks,
    pub books: Books,
    pub conversations: Conversations,
    pub tariffs: super::terms::Tariffs,
    pub prompts: super::prompts::Shelf,
    pub batches: super::batches::Batches,
    pub roles: RoleTable,
    pub bans: BTreeMap<UserId, Ban>,
    pub api_keys: BTreeMap<ApiKeyId, HeldKey>,
    pub invitations: BTreeMap<InvitationId, (Invitation, [u8; 32])>,
    pub links: BTreeMap<ForeignId, Link>,
    /// What was told of people elsewhere, by a digest of who they are there.
    pub standings: BTreeMap<Digest, Standing>,
    pub hooks: BTreeMap<HookEventId, HookEvent>,
    pub sign_in_steps: BTreeMap<[u8; 32], (Vec<u8>, Timestamp)>,
}

#[derive(Debug, Clone)]
pub(super) struct StoredUser {
    pub user: User,
    pub password_hash: String,
}

#[derive(Debug, Clone)]
pub(super) struct StoredSeller {
    pub seller: Seller,
    pub members: Vec<StoredMember>,
}

impl StoredSeller {
    pub(super) fn owner(&self) -> Option<Owner> {
        self.members.first().map(|member| Owner { seller: self.seller.id, user: member.user })
    }
}

/// A member of a seller account.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredMember {
    pub user: UserId,
    pub role: MemberRole,
    pub since: Timestamp,
}

/// The roles there are; the built-in ones from the begin.
#[derive(Debug, Clone)]
pub(super) struct RoleTable(pub BTreeMap<String, StoredRole>);

impl Default for RoleTable {
    fn default() -> Self {
        let built_in = StoredRole::delivered().into_iter();
        Self(built_in.map(|stored| (stored.role.name().to_owned(), stored)).collect())
    }
}

/// Two keys of one scope meet, whatever their request was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyScope(Option<UserId>, &'static str, String);

impl KeyScope {
    /// Whether it is a key of this person.
    pub(super) fn is_of(&self, user: UserId) -> bool {
        self.0 == Some(user)
    }

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

    /// The accounts a person is a member of.
    pub(super) fn sellers_of(&self, user: UserId) -> Sellers {
        Sellers::new(self.accounts_of(user).map(|(stored, _)| stored.seller.id))
    }

    /// The same with what they are in them, the oldest account first.
    pub(super) fn accounts_of(&self, user: UserId) -> impl Iterator<Item = (&StoredSeller, &StoredMember)> {
        self.sellers.values().flat_map(move |stored| {
            stored.members.iter().filter(move |member| member.user == user).map(move |member| (stored, member))
        })
    }

    /// What somebody with these roles may do.
    pub(super) fn permissions(&self, roles: &Roles) -> Permissions {
        let stored = roles.iter().filter_map(|role| self.roles.0.get(role.name()));
        stored.map(StoredRole::permissions).fold(Permissions::NONE, Permissions::union)
    }
}
