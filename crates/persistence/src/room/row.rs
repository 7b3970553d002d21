//! Rooms and messages as rows.

use domain::{
    Error, Result,
    catalog::Version,
    clock::Timestamp,
    id::{MessageId, RoomId, UserId},
    room::{Epoch, Member, Message, Room, RoomKind, RoomName, RoomRole, Standing},
};
use sea_orm::QueryResult;
use uuid::Uuid;

use crate::statement::{at, count};

/// The columns of a room under the alias `r`, as [`room`] reads them.
pub(super) const ROOM: &str =
    "r.id, r.name, r.title, r.kind, r.owner_id, r.last_offset, r.epoch, r.version, r.created_at, r.updated_at";
/// How many they are.
pub(super) const ROOM_WIDTH: usize = 10;
/// The columns of a message, as [`message`] reads them.
pub(super) const MESSAGE: &str = "id, message_offset, user_id, content, created_at, deleted_at";

/// How person `$2` stands to a room `r` at `$3`, as [`standing`] reads it; NULL means that no such sanction holds.
pub(super) const STANDING: &str = "m.role, b.user_id IS NOT NULL, b.until, s.user_id IS NOT NULL, s.until";
/// Where that comes from.
pub(super) const STANDINGS: &str = "LEFT JOIN room_members m ON m.room_id = r.id AND m.user_id = $2 \
    LEFT JOIN room_sanctions b ON b.room_id = r.id AND b.user_id = $2 AND b.kind = 'ban' \
    AND (b.until IS NULL OR b.until > $3) \
    LEFT JOIN room_sanctions s ON s.room_id = r.id AND s.user_id = $2 AND s.kind = 'mute' \
    AND (s.until IS NULL OR s.until > $3)";

/// The room whose columns begin at `first`.
pub(super) fn room(row: &QueryResult, first: usize) -> Result<Room> {
    let kind: String = at(row, first + 3)?;
    Ok(Room {
        id: RoomId(at(row, first)?),
        name: RoomName::stored(at(row, first + 1)?),
        title: at(row, first + 2)?,
        kind: RoomKind::named(&kind).ok_or_else(|| Error::internal(format!("a room is {kind:?}")))?,
        owner: at::<Option<Uuid>>(row, first + 4)?.map(UserId),
        last_offset: count(row, first + 5)?,
        epoch: Epoch(at(row, first + 6)?),
        version: Version(at(row, first + 7)?),
        created_at: at(row, first + 8)?,
        updated_at: at(row, first + 9)?,
    })
}

/// The message whose columns begin at `first`.
pub(super) fn message(row: &QueryResult, first: usize) -> Result<Message> {
    Ok(Message {
        id: MessageId(at(row, first)?),
        offset: count(row, first + 1)?,
        user: UserId(at(row, first + 2)?),
        content: at(row, first + 3)?,
        at: at(row, first + 4)?,
        deleted_at: at(row, first + 5)?,
    })
}

/// The standing whose columns begin at `first`.
pub(super) fn standing(row: &QueryResult, first: usize) -> Result<Standing> {
    let lasting = |first| -> Result<Option<Option<Timestamp>>> {
        Ok(if at::<bool>(row, first)? { Some(at(row, first + 1)?) } else { None })
    };
    let role: Option<String> = at(row, first)?;
    Ok(Standing {
        role: role.map(|name| role_named(&name)).transpose()?,
        ban: lasting(first + 1)?,
        mute: lasting(first + 3)?,
    })
}

/// The member whose columns `user_id`, `role`, `since` begin at `first`.
pub(super) fn member(row: &QueryResult, first: usize) -> Result<Member> {
    let role: String = at(row, first + 1)?;
    Ok(Member { user: UserId(at(row, first)?), role: role_named(&role)?, since: at(row, first + 2)? })
}

fn role_named(name: &str) -> Result<RoomRole> {
    RoomRole::named(name).ok_or_else(|| Error::internal(format!("a member is {name:?}")))
}

/// An offset as the database takes it. None is ever larger, so one that is finds nothing.
pub(super) fn offset(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}
