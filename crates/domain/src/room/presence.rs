//! Who is in which room just now, over all nodes.

use std::fmt;

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    clock::Timestamp,
    error::Result,
    id::{RoomId, UserId},
};

/// A running process. It has another one after every start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub Uuid);

impl From<Uuid> for NodeId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A person comes to a room on a node, or has left it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Change {
    /// The room.
    pub room: RoomId,
    /// The person.
    pub user: UserId,
    /// Whether they are there on this node.
    pub present: bool,
}

/// A change that others notice: somebody is there who was on no node, or on no node any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// What changed.
    pub change: Change,
    /// How many people are in the room after all that was entered with it.
    pub count: u64,
}

/// Who is in a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Crowd {
    /// Some of them, or all when there are few.
    pub some: Vec<UserId>,
    /// How many there are.
    pub count: u64,
}

/// How a node's lease stood when it was renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    /// It held.
    Held,
    /// There was none: this is the first, or all was forgotten. Nobody was told that its people left.
    New,
    /// It had ended, and others were told that its people left.
    Swept,
}

/// Who is in which room, by node. What a node entered counts until it takes it back or its lease is swept: a person whose
/// last node died is in a room until the sweep, so that nobody leaves twice or comes twice.
#[async_trait]
pub trait Presence: Send + Sync {
    /// Enters what changed on a node, in this order, and gives what others notice of it. Entering again what stands already
    /// MUST change nothing and give nothing. MUST be one step: of two nodes that a person comes to at the same moment one
    /// gives it.
    async fn update(&self, node: NodeId, changes: &[Change]) -> Result<Vec<Moved>>;

    /// Says that a node lives, and is to be swept when it has not said so again `until` then. After anything but
    /// [`Renewed::Held`] the node MUST enter its people again.
    async fn renew(&self, node: NodeId, until: Timestamp) -> Result<Renewed>;

    /// Removes what nodes entered whose lease has ended, and gives what others notice of it: each change to one caller.
    async fn sweep(&self, now: Timestamp) -> Result<Vec<Moved>>;

    /// Who is in a room; at most `most` of them by name.
    async fn crowd(&self, room: RoomId, most: u32) -> Result<Crowd>;
}
