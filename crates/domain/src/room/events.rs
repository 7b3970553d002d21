//! The changes of rooms, told once for events and audit. What people say stays out of both.

use serde_json::{Value, json};

use super::{Member, Message, Room, Sanction, SanctionKind};
use crate::{
    event::{Change, Entity},
    id::{RoomId, UserId},
};

fn change(action: &'static str, event: &'static str, room: RoomId, metadata: Value) -> Change {
    let payload = json!({ "roomId": room });
    Change { action, event, entity: Entity::new("room", room), payload, metadata }
}

pub(super) fn created(room: &Room) -> Change {
    change("room.create", "room.created", room.id, json!({ "name": room.name.as_str(), "kind": room.kind.name() }))
}

pub(super) fn updated(before: &Room, after: &Room) -> Change {
    let told = |room: &Room| json!({ "title": room.title, "kind": room.kind.name() });
    let metadata = json!({ "version": after.version, "before": told(before), "after": told(after) });
    change("room.update", "room.updated", after.id, metadata)
}

pub(super) fn deleted(room: &Room) -> Change {
    let metadata = json!({ "name": room.name.as_str(), "kind": room.kind.name(), "messages": room.last_offset });
    change("room.delete", "room.deleted", room.id, metadata)
}

pub(super) fn member_set(room: RoomId, member: &Member) -> Change {
    let metadata = json!({ "userId": member.user, "role": member.role.name() });
    change("room.set_member", "room.member_set", room, metadata)
}

pub(super) fn member_removed(room: RoomId, user: UserId) -> Change {
    change("room.remove_member", "room.member_removed", room, json!({ "userId": user }))
}

pub(super) fn sanctioned(room: RoomId, sanction: &Sanction) -> Change {
    let (action, event) = match sanction.kind {
        SanctionKind::Ban => ("room.ban", "room.banned"),
        SanctionKind::Mute => ("room.mute", "room.muted"),
    };
    let metadata = json!({ "userId": sanction.user, "until": sanction.until, "reason": sanction.reason });
    change(action, event, room, metadata)
}

pub(super) fn lifted(room: RoomId, user: UserId, kind: SanctionKind) -> Change {
    let (action, event) = match kind {
        SanctionKind::Ban => ("room.unban", "room.unbanned"),
        SanctionKind::Mute => ("room.unmute", "room.unmuted"),
    };
    change(action, event, room, json!({ "userId": user }))
}

pub(super) fn message_deleted(room: RoomId, message: &Message) -> Change {
    let metadata = json!({ "messageId": message.id, "offset": message.offset, "author": message.user });
    change("room.delete_message", "room.message_deleted", room, metadata)
}
