//! What rooms look like in JSON.

use chrono::{DateTime, Utc};
use domain::{
    Violations,
    clock::Timestamp,
    room::{Member, Room, RoomInput, RoomKind, RoomPatch, RoomRole, Sanction, SanctionInput, ports::Seen},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{body::Fields, socket::MessageView};

/// A new room.
#[derive(Debug, ToSchema)]
#[schema(as = NewRoom)]
#[serde(rename_all = "camelCase")]
pub struct NewRoomBody {
    /// Its name in messages and addresses; it stays.
    #[schema(example = "lamps", min_length = 1, max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    pub name: String,
    /// What people read over it; the name when absent.
    #[schema(example = "Lamps and other lights", min_length = 1, max_length = 100, format = "name")]
    pub title: Option<String>,
    /// Who may be in it; everybody when absent.
    #[schema(value_type = Option<RoomKindView>)]
    pub kind: Option<RoomKindView>,
}

/// Who may be in a room: everybody, or its members.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = RoomKind)]
#[serde(rename_all = "camelCase")]
pub enum RoomKindView {
    /// Everybody; who is not signed in only listens.
    Public,
    /// Its members. To others it does not exist.
    Private,
}

impl From<RoomKind> for RoomKindView {
    fn from(kind: RoomKind) -> Self {
        match kind {
            RoomKind::Public => Self::Public,
            RoomKind::Private => Self::Private,
        }
    }
}

/// Reads a [`NewRoomBody`].
pub fn new_room(fields: &mut Fields<'_>) -> RoomInput {
    RoomInput { name: fields.text("name"), title: fields.text("title"), kind: kind(fields) }
}

fn kind(fields: &mut Fields<'_>) -> Option<RoomKind> {
    fields.choice("kind", RoomKind::named, "public, private")
}

/// A change of a room: what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(as = RoomPatch)]
#[serde(rename_all = "camelCase")]
pub struct RoomPatchBody {
    /// Another title.
    #[schema(example = "Lights", min_length = 1, max_length = 100, format = "name", nullable = false)]
    pub title: Option<String>,
    /// Who may be in it from now on.
    #[schema(value_type = Option<RoomKindView>, nullable = false)]
    pub kind: Option<RoomKindView>,
}

/// Reads a [`RoomPatchBody`].
pub fn room_patch(fields: &mut Fields<'_>) -> RoomPatch {
    fields.of_a_change();
    let mut patch = RoomPatch::default();
    if let Some(title) = fields.text("title") {
        patch.title(&title, &mut fields.violations);
    }
    if let Some(kind) = kind(fields) {
        patch.kind(kind);
    }
    patch
}

/// A room.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Room)]
#[serde(rename_all = "camelCase")]
pub struct RoomView {
    /// Its id.
    pub id: Uuid,
    /// Its name in messages.
    #[schema(example = "lamps")]
    pub name: String,
    /// What people read over it.
    #[schema(example = "Lamps and other lights")]
    pub title: String,
    /// Who may be in it.
    pub kind: RoomKindView,
    /// Who made it; null for the house's own.
    pub owner_id: Option<Uuid>,
    /// The offset of the last message; 0 before the first.
    #[schema(example = 7, minimum = 0)]
    pub last_offset: u64,
    /// Which row of offsets these are.
    #[schema(example = "0123456789abcdef")]
    pub epoch: String,
    /// How often it was changed, from 1.
    #[schema(example = 1, minimum = 1)]
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<&Room> for RoomView {
    fn from(room: &Room) -> Self {
        Self {
            id: room.id.0,
            name: room.name.to_string(),
            title: room.title.clone(),
            kind: room.kind.into(),
            owner_id: room.owner.map(|user| user.0),
            last_offset: room.last_offset,
            epoch: room.epoch.0.clone(),
            version: room.version.0,
            created_at: room.created_at,
            updated_at: room.updated_at,
        }
    }
}

/// A room as one stands to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MyRoom)]
#[serde(rename_all = "camelCase")]
pub struct SeenRoomView {
    /// The room.
    #[serde(flatten)]
    pub room: RoomView,
    /// One's own role in it, if one has one.
    pub role: Option<RoomRoleView>,
    /// How far one has read.
    pub read_offset: Option<u64>,
    /// How many people are there just now.
    #[schema(example = 3, minimum = 0)]
    pub member_count: u64,
}

impl SeenRoomView {
    /// The room with how many people are there.
    pub fn new(seen: &Seen, member_count: u64) -> Self {
        Self {
            room: RoomView::from(&seen.room),
            role: seen.standing.role.map(Into::into),
            read_offset: seen.read_offset,
            member_count,
        }
    }
}

/// What somebody may do in a room.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = RoomRole)]
#[serde(rename_all = "camelCase")]
pub enum RoomRoleView {
    /// Is in a private room.
    Member,
    /// Invites, removes, bans and mutes members.
    Moderator,
    /// Everything, of moderators too.
    Owner,
}

impl From<RoomRole> for RoomRoleView {
    fn from(role: RoomRole) -> Self {
        match role {
            RoomRole::Member => Self::Member,
            RoomRole::Moderator => Self::Moderator,
            RoomRole::Owner => Self::Owner,
        }
    }
}

/// What somebody is to be in a room.
#[derive(Debug, ToSchema)]
#[schema(as = RoomMembership)]
#[serde(rename_all = "camelCase")]
pub struct MembershipBody {
    /// Their role; member when absent.
    #[schema(example = "member")]
    pub role: Option<GivenRoleView>,
}

/// A role that can be given.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = GivenRoomRole)]
#[serde(rename_all = "camelCase")]
pub enum GivenRoleView {
    /// Is in a private room.
    Member,
    /// Invites, removes, bans and mutes members.
    Moderator,
}

/// Reads a [`MembershipBody`].
pub fn membership(fields: &mut Fields<'_>) -> RoomRole {
    let given = |name: &str| RoomRole::named(name).filter(|role| *role < RoomRole::Owner);
    fields.choice("role", given, "member, moderator").unwrap_or(RoomRole::Member)
}

/// Somebody with a role in a room.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoomMember)]
#[serde(rename_all = "camelCase")]
pub struct MemberView {
    /// Who.
    pub user_id: Uuid,
    /// As what.
    pub role: RoomRoleView,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl From<&Member> for MemberView {
    fn from(member: &Member) -> Self {
        Self { user_id: member.user.0, role: member.role.into(), since: member.since }
    }
}

/// A ban or a mute to be imposed.
#[derive(Debug, ToSchema)]
#[schema(as = NewSanction)]
#[serde(rename_all = "camelCase")]
pub struct SanctionBody {
    /// Until when; until it is lifted when absent.
    #[schema(value_type = Option<String>, format = DateTime, example = "2099-01-31T12:00:00Z")]
    pub until: Option<DateTime<Utc>>,
    /// Why.
    #[schema(example = "Shouting", max_length = 200, format = "line")]
    pub reason: Option<String>,
}

/// Reads a [`SanctionBody`].
pub fn new_sanction(fields: &mut Fields<'_>, now: Timestamp) -> SanctionInput {
    let mut input = SanctionInput::default();
    if let Some(until) = fields.text("until") {
        moment(&until, now, &mut input, &mut fields.violations);
    }
    if let Some(reason) = fields.text("reason") {
        input.reason(&reason, &mut fields.violations);
    }
    input
}

fn moment(text: &str, now: Timestamp, input: &mut SanctionInput, violations: &mut Violations) {
    match DateTime::parse_from_rfc3339(text) {
        Ok(until) => {
            let until = until.with_timezone(&Utc);
            // To the microsecond, as databases keep it.
            let until = DateTime::from_timestamp_micros(until.timestamp_micros()).unwrap_or(until);
            input.until(until, now, violations);
        }
        Err(_) => violations.add("/until", "date_time", "must be a moment, such as 2030-01-31T12:00:00Z"),
    }
}

/// A ban or a mute.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sanction)]
#[serde(rename_all = "camelCase")]
pub struct SanctionView {
    /// Whom it is imposed on.
    pub user_id: Uuid,
    /// Until when; null until it is lifted.
    pub until: Option<DateTime<Utc>>,
    /// Who imposed it.
    pub by_id: Uuid,
    /// Why.
    #[schema(example = "Shouting")]
    pub reason: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

impl From<&Sanction> for SanctionView {
    fn from(sanction: &Sanction) -> Self {
        Self {
            user_id: sanction.user.0,
            until: sanction.until,
            by_id: sanction.by.0,
            reason: sanction.reason.clone(),
            created_at: sanction.at,
        }
    }
}

/// What was said in a room, in order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoomHistory)]
#[serde(rename_all = "camelCase")]
pub struct HistoryView {
    /// The messages.
    pub items: Vec<MessageView>,
    /// The first offset that is kept.
    #[schema(example = 1, minimum = 1)]
    pub first_offset: u64,
    /// The last offset.
    #[schema(example = 7, minimum = 0)]
    pub last_offset: u64,
    /// Which row of offsets these are.
    #[schema(example = "0123456789abcdef")]
    pub epoch: String,
}
