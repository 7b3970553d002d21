//! What rooms need from outside.

use std::collections::HashSet;

use async_trait::async_trait;

use super::{Member, Message, NewMessage, Reach, Room, RoomKind, RoomName, Sanction, SanctionKind, Standing};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{MessageId, RoomId, UserId},
    page::{Page, PageRequest},
};

/// The write side of rooms.
#[async_trait]
pub trait RoomRepo: Send {
    /// Stores a new room, and its owner as its member; `false` when the name is taken.
    async fn insert(&mut self, room: &Room) -> Result<bool>;

    /// The room of that id. Other writers of the room and its messages MUST wait until this transaction ends.
    async fn find(&mut self, id: RoomId) -> Result<Option<Room>>;

    /// Replaces title, kind, version and the moment of the change.
    async fn update(&mut self, room: &Room) -> Result<()>;

    /// Removes a room with all that belongs to it.
    async fn delete(&mut self, id: RoomId) -> Result<()>;

    /// How a person stands to a room at `now`.
    async fn standing(&mut self, room: RoomId, user: UserId, now: Timestamp) -> Result<Standing>;

    /// Gives somebody a role in a room, or another one; `false` when there is no such person.
    async fn set_member(&mut self, room: RoomId, member: &Member) -> Result<bool>;

    /// Takes somebody's role away; `false` when they had none.
    async fn remove_member(&mut self, room: RoomId, user: UserId) -> Result<bool>;

    /// Bans or mutes somebody, in place of what stood; `false` when there is no such person.
    async fn set_sanction(&mut self, room: RoomId, sanction: &Sanction) -> Result<bool>;

    /// Lifts a sanction; `false` when there was none.
    async fn lift_sanction(&mut self, room: RoomId, user: UserId, kind: SanctionKind) -> Result<bool>;

    /// The message that a person sent under this name, if they did.
    async fn sent_as(&mut self, room: RoomId, user: UserId, client_id: &str) -> Result<Option<Message>>;

    /// Stores a message under the next offset of its room.
    async fn append(
        &mut self,
        room: RoomId,
        id: MessageId,
        user: UserId,
        new: &NewMessage,
        at: Timestamp,
    ) -> Result<Message>;

    /// The message of that offset.
    async fn message(&mut self, room: RoomId, offset: u64) -> Result<Option<Message>>;

    /// Empties a message; its place stays.
    async fn erase(&mut self, room: RoomId, offset: u64, at: Timestamp) -> Result<()>;

    /// Notes that a person has read up to an offset; `false` when they had come as far already.
    async fn mark_read(&mut self, room: RoomId, user: UserId, offset: u64, at: Timestamp) -> Result<bool>;
}

/// A room as a reader meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The room.
    pub room: Room,
    /// How the reader stands to it.
    pub standing: Standing,
    /// How far the reader has read.
    pub read_offset: Option<u64>,
}

/// Which rooms a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Public ones.
    Public,
    /// Public ones, and private ones where this person is a member.
    Of(UserId),
    /// All.
    All,
}

/// Who may be in a room besides those that are always admitted, for those who are there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Who may be in it.
    pub kind: RoomKind,
    /// Who is banned.
    pub banned: HashSet<UserId>,
    /// Who has a role in it; only told of a private room.
    pub members: HashSet<UserId>,
}

/// Which messages of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The first ones after an offset.
    After(u64),
    /// The last ones before an offset.
    Before(u64),
    /// The last ones.
    Last,
}

/// The read side of rooms.
#[async_trait]
pub trait RoomQueries: Send + Sync {
    /// A room by its id, as this reader meets it. It MUST be given also to who may not see it: the policy decides.
    async fn seen(&self, id: RoomId, by: Option<UserId>, now: Timestamp) -> Result<Option<Seen>>;

    /// The same by its name.
    async fn seen_by_name(&self, name: &RoomName, by: Option<UserId>, now: Timestamp) -> Result<Option<Seen>>;

    /// Rooms by name.
    async fn list(&self, listed: Listed, page: PageRequest) -> Result<Page<Room>>;

    /// Who has a role in a room, the highest first, then who has it for longest.
    async fn members(&self, room: RoomId, page: PageRequest) -> Result<Page<Member>>;

    /// Sanctions of a kind that hold at `now`, the latest first.
    async fn sanctions(
        &self,
        room: RoomId,
        kind: SanctionKind,
        now: Timestamp,
        page: PageRequest,
    ) -> Result<Page<Sanction>>;

    /// Who may be in a room at `now`; `None` when it is gone.
    async fn admission(&self, room: RoomId, now: Timestamp) -> Result<Option<Admission>>;

    /// How far the messages of a room reach; `None` when it is gone.
    async fn reach(&self, room: RoomId) -> Result<Option<Reach>>;

    /// The last offsets of these rooms; those that are gone are left out.
    async fn heads(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, u64)>>;

    /// Messages of a room in order of their offsets, at most `limit`, deleted ones too.
    async fn messages(&self, room: RoomId, window: Window, limit: u32) -> Result<Vec<Message>>;
}

/// The end of rooms that is purged.
#[async_trait]
pub trait MessagePurge: Send + Sync {
    /// Removes messages older than `before`, at most `limit`, and gives how many. Of each room only an unbroken row from
    /// its lowest offset on goes, so that what is left has no gap.
    async fn purge_messages(&self, before: Timestamp, limit: u32) -> Result<u64>;
}
