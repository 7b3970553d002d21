//! Members of a seller account.

use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, id::UserId, identity::Seller};

/// What a member may do in a seller account; the order is the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberRole {
    /// Sells: sees every product of the account, makes and changes them.
    Member,
    /// And invites members, removes them, and takes invitations back.
    Manager,
    /// And makes managers and owners of members, and API keys of the account.
    Owner,
}

impl MemberRole {
    /// Every role, from least to most.
    pub const ALL: [Self; 3] = [Self::Member, Self::Manager, Self::Owner];

    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Manager => "manager",
            Self::Owner => "owner",
        }
    }

    /// The role of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A member as the other members see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// The name they go by.
    pub name: String,
    /// What they may do.
    pub role: MemberRole,
    /// Since when.
    pub since: Timestamp,
}

/// A seller account as a member sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account.
    pub seller: Seller,
    /// What they may do in it.
    pub role: MemberRole,
}
