//! What organisations need from outside.

use async_trait::async_trait;

use super::{Account, Invitation, Member, MemberRole};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{InvitationId, SellerId, UserId},
    identity::Seller,
    page::{Page, PageRequest},
};

/// The write side of who the members of seller accounts are.
#[async_trait]
pub trait OrganisationRepo: Send {
    /// The accounts a person is a member of. The person is held until the transaction ends: of those that make them a member
    /// or end it, one goes after the other.
    async fn accounts_of(&mut self, user: UserId) -> Result<Vec<(SellerId, MemberRole)>>;

    /// The account of that id. It is held until the transaction ends, so that of its owners the last one is known.
    async fn seller(&mut self, seller: SellerId) -> Result<Option<Seller>>;

    /// What a person may do in an account.
    async fn member(&mut self, seller: SellerId, user: UserId) -> Result<Option<MemberRole>>;

    /// How many owners an account has.
    async fn owners(&mut self, seller: SellerId) -> Result<u64>;

    /// How many members an account has beside one.
    async fn others(&mut self, seller: SellerId, but: UserId) -> Result<u64>;

    /// Gives an account another name, and another name in addresses.
    async fn rename(&mut self, seller: SellerId, name: &str, slug: &str) -> Result<()>;

    /// Makes a person a member, or gives them another role; since when they are one stays.
    async fn put(&mut self, seller: SellerId, user: UserId, role: MemberRole, at: Timestamp) -> Result<()>;

    /// Ends a membership.
    async fn remove(&mut self, seller: SellerId, user: UserId) -> Result<()>;

    /// Stores an invitation with the keyed hash of its code.
    async fn keep(&mut self, invitation: &Invitation, digest: &[u8; 32]) -> Result<()>;

    /// The invitation of that id.
    async fn invitation(&mut self, id: InvitationId) -> Result<Option<Invitation>>;

    /// The invitation whose code has this keyed hash.
    async fn invitation_of(&mut self, digest: &[u8; 32]) -> Result<Option<Invitation>>;

    /// Removes an invitation; `false` when it is gone already.
    async fn forget(&mut self, id: InvitationId) -> Result<bool>;

    /// Removes the invitations to an account that ended, and gives how many are left.
    async fn open_invitations(&mut self, seller: SellerId, now: Timestamp) -> Result<u64>;
}

/// The read side of who the members of seller accounts are.
#[async_trait]
pub trait OrganisationQueries: Send + Sync {
    /// The accounts a person is a member of, the oldest first.
    async fn accounts(&self, user: UserId) -> Result<Vec<Account>>;

    /// What a person may do in an account.
    async fn role_in(&self, seller: SellerId, user: UserId) -> Result<Option<MemberRole>>;

    /// The members of an account, owners first, then by how long they are members.
    async fn members(&self, seller: SellerId, page: PageRequest) -> Result<Page<Member>>;

    /// The invitations to an account that hold, the newest first.
    async fn invitations(&self, seller: SellerId, now: Timestamp, page: PageRequest) -> Result<Page<Invitation>>;
}
