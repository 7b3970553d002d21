//! A room, and how a person stands to it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::RoomName;
use crate::{
    catalog::Version,
    clock::{Entropy, Timestamp},
    id::{RoomId, UserId},
    secrets::hex,
};

/// The room that every connection is in. It is there from the first migration on, and stays.
pub const GLOBAL: RoomId = RoomId(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));

/// A room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Its name in messages and addresses; unique, and never another.
    pub name: RoomName,
    /// What people read over it.
    pub title: String,
    /// Who may be in it.
    pub kind: RoomKind,
    /// Who made it; `None` for the house's own.
    pub owner: Option<UserId>,
    /// The offset of the last message; 0 before the first.
    pub last_offset: u64,
    /// Which row of offsets these are: another room that once has the same name has another.
    pub epoch: Epoch,
    /// How often the room itself was changed, from 1. Messages do not count.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Who may be in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoomKind {
    /// Everybody; who is not signed in only listens.
    Public,
    /// Its members. To others it does not exist.
    Private,
}

impl RoomKind {
    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Public, Self::Private].into_iter().find(|kind| kind.name() == name)
    }
}

/// Tells one row of offsets from another: 16 hexadecimal digits, drawn when the room is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub String);

impl Epoch {
    /// A new one.
    pub fn draw(entropy: &dyn Entropy) -> Self {
        let mut random = [0; 8];
        entropy.fill(&mut random);
        Self(hex(&random))
    }
}

/// What somebody may do in a room beyond being in it; the order is the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoomRole {
    /// Is in a private room.
    Member,
    /// Invites, removes, bans and mutes members.
    Moderator,
    /// Everything, of moderators too.
    Owner,
}

impl RoomRole {
    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Owner => "owner",
        }
    }

    /// The role of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Member, Self::Moderator, Self::Owner].into_iter().find(|role| role.name() == name)
    }
}

/// Somebody with a role in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: RoomRole,
    /// Since when.
    pub since: Timestamp,
}

/// What a sanction takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SanctionKind {
    /// Being in the room.
    Ban,
    /// Writing in it.
    Mute,
}

impl SanctionKind {
    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Mute => "mute",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Ban, Self::Mute].into_iter().find(|kind| kind.name() == name)
    }
}

/// A ban or a mute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanction {
    /// What it takes away.
    pub kind: SanctionKind,
    /// From whom.
    pub user: UserId,
    /// Until when; `None` until it is lifted.
    pub until: Option<Timestamp>,
    /// Who said so.
    pub by: UserId,
    /// Why, as the one who said so put it; may be empty.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// How a person stands to a room at a moment. Sanctions that have ended are not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Their role, if they have one.
    pub role: Option<RoomRole>,
    /// Their ban, with the moment it ends.
    pub ban: Option<Lasting>,
    /// Their mute, with the moment it ends.
    pub mute: Option<Lasting>,
}

/// How long a sanction lasts: until a moment, or until it is lifted.
pub type Lasting = Option<Timestamp>;

/// How far the messages of a room reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The lowest offset that is kept; one more than `last` when nothing is kept.
    pub first: u64,
    /// The last offset given.
    pub last: u64,
    /// Which row of offsets it is.
    pub epoch: Epoch,
}
