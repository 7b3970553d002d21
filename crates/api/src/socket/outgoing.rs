//! What clients are told, as JSON.

use chrono::{DateTime, Utc};
use domain::room::{Gap, Message};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::frame::Frame;
use crate::stream::{GapReason, NoticeView};

/// What a client is told of its connection and of rooms. `ref` is that of the request it answers.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = SocketAnswer)]
// `rename_all_fields` is not heard by the document, so each variant says it for itself.
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Outgoing {
    /// The first of all.
    #[serde(rename_all = "camelCase")]
    Connected {
        /// The id of this connection.
        connection_id: Uuid,
        /// Now.
        timestamp: DateTime<Utc>,
        /// Who is signed in.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<Uuid>,
        /// When the access token ends; send `refresh` before.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
        /// After so long without a frame the connection is closed.
        timeout_ms: u64,
        /// Most bytes of a message.
        max_bytes: usize,
    },
    /// Answers `ping`.
    Pong {
        /// Now.
        timestamp: DateTime<Utc>,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs, reason = "said above")]
        reference: Option<String>,
    },
    /// One is in a room now.
    #[serde(rename_all = "camelCase")]
    RoomJoined {
        /// Its name.
        room: String,
        /// Its id.
        room_id: Uuid,
        /// Who is there, at most 100 of them; absent for who is not signed in, or a guest.
        #[serde(skip_serializing_if = "Option::is_none")]
        members: Option<Vec<Uuid>>,
        /// How many are there.
        member_count: u64,
        /// What is said after this offset comes live.
        offset: u64,
        /// The epoch of the offsets.
        epoch: String,
        /// Whether everything since the offset that was asked for comes; absent when none was.
        #[serde(skip_serializing_if = "Option::is_none")]
        resumed: Option<bool>,
        /// What is missing.
        #[serde(skip_serializing_if = "Option::is_none")]
        gap: Option<GapView>,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs, reason = "said above")]
        reference: Option<String>,
    },
    /// One is in a room no more.
    RoomLeft {
        /// Its name.
        room: String,
        /// Why.
        reason: LeftReason,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs, reason = "said above")]
        reference: Option<String>,
    },
    /// Somebody came to a room.
    #[serde(rename_all = "camelCase")]
    MemberJoined {
        /// The room.
        room: String,
        /// Who; absent for who is not signed in, or a guest.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<Uuid>,
        /// How many are there now.
        member_count: u64,
    },
    /// Somebody left a room.
    #[serde(rename_all = "camelCase")]
    MemberLeft {
        /// The room.
        room: String,
        /// Who; absent for who is not signed in, or a guest.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<Uuid>,
        /// How many are there now.
        member_count: u64,
    },
    /// People came to `global`, those of a moment together.
    #[serde(rename_all = "camelCase")]
    UserJoined {
        /// The first of them; absent for who is not signed in, or a guest.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<Uuid>,
        /// All of them.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        user_ids: Vec<Uuid>,
        /// How many are there now.
        member_count: u64,
    },
    /// People left `global`, those of a moment together.
    #[serde(rename_all = "camelCase")]
    UserLeft {
        /// The first of them; absent for who is not signed in, or a guest.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<Uuid>,
        /// All of them.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        user_ids: Vec<Uuid>,
        /// How many are there now.
        member_count: u64,
    },
    /// Who is in a room, told anew after news may have been lost between nodes.
    #[serde(rename_all = "camelCase")]
    RoomMembers {
        /// The room.
        room: String,
        /// Who is there, at most 100 of them; absent for who is not signed in, or a guest.
        #[serde(skip_serializing_if = "Option::is_none")]
        members: Option<Vec<Uuid>>,
        /// How many are there.
        member_count: u64,
    },
    /// Something was said.
    #[serde(rename_all = "camelCase")]
    Message {
        /// Its id.
        id: Uuid,
        /// Who said it.
        user_id: Uuid,
        /// What; empty when it was deleted.
        content: String,
        /// Where.
        room: String,
        /// When.
        timestamp: DateTime<Utc>,
        /// Its place in the room, from 1, without gaps.
        offset: u64,
        /// When it was deleted.
        #[serde(skip_serializing_if = "Option::is_none")]
        deleted_at: Option<DateTime<Utc>>,
    },
    /// What was said was deleted.
    MessageDeleted {
        /// Where.
        room: String,
        /// Its place.
        offset: u64,
    },
    /// One's own message is stored.
    #[serde(rename_all = "camelCase")]
    Ack {
        /// Where.
        room: String,
        /// Its id.
        id: Uuid,
        /// Its place.
        offset: u64,
        /// When it was said.
        timestamp: DateTime<Utc>,
        /// What the client calls it.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs, reason = "said above")]
        reference: Option<String>,
    },
    /// Somebody is writing, or has stopped.
    #[serde(rename_all = "camelCase")]
    Typing {
        /// Where.
        room: String,
        /// Who; absent for who is not signed in, or a guest.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<Uuid>,
        /// Whether they are.
        active: bool,
    },
    /// Somebody has read up to here.
    #[serde(rename_all = "camelCase")]
    Read {
        /// Where.
        room: String,
        /// Who; absent for who is not signed in, or a guest.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<Uuid>,
        /// The offset of the last message they read.
        offset: u64,
    },
    /// What was said, in order.
    #[serde(rename_all = "camelCase")]
    History {
        /// Where.
        room: String,
        /// The messages.
        items: Vec<MessageView>,
        /// The first offset that is kept.
        first_offset: u64,
        /// The last offset.
        last_offset: u64,
        /// The epoch of the offsets.
        epoch: String,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs, reason = "said above")]
        reference: Option<String>,
    },
    /// One listens to these topics now.
    Subscribed {
        /// All of them.
        topics: Vec<String>,
        /// What comes after this number of the log is told.
        seq: u64,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs, reason = "said above")]
        reference: Option<String>,
    },
    /// Changes of topics are missing here: what was read before is to be read anew.
    #[serde(rename_all = "camelCase")]
    Gap {
        /// Why.
        reason: GapReason,
        /// The last number one had.
        after: u64,
        /// It goes on after this number.
        resumed_at: u64,
    },
    /// The session goes on.
    #[serde(rename_all = "camelCase")]
    Refreshed {
        /// When the new token ends.
        expires_at: DateTime<Utc>,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs, reason = "said above")]
        reference: Option<String>,
    },
    /// It is done; told only to a request that carries a `ref` and has no other answer.
    Done {
        #[serde(rename = "ref")]
        #[allow(missing_docs, reason = "said above")]
        reference: String,
    },
    /// A request was not carried out. The connection goes on.
    #[serde(rename_all = "camelCase")]
    Error {
        /// The code, as errors of the API have it.
        #[schema(example = "NOT_FOUND")]
        code: &'static str,
        /// What is wrong.
        #[schema(example = "Unknown message type: dance")]
        message: String,
        /// The rules that are broken.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<Object>)]
        details: Option<serde_json::Value>,
        /// When to try again.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
        #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
        #[allow(missing_docs, reason = "said above")]
        reference: Option<String>,
    },
    /// The last of all, before the connection is closed by us.
    #[serde(rename_all = "camelCase")]
    Closing {
        /// The close code that follows.
        #[schema(example = 1012)]
        code: u16,
        /// The reason that follows with it.
        #[schema(example = "Server shutdown")]
        reason: &'static str,
        /// Whether to connect again with the same credentials.
        reconnect: bool,
        /// After how long.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
}

/// Everything a client is told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum SocketMessage<'a> {
    /// Of its connection and of rooms.
    Answer(Outgoing),
    /// A change that was committed, of a topic it listens to.
    Notice(NoticeView<'a>),
}

/// What is missing in a room.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = RoomGap)]
#[serde(rename_all = "camelCase")]
pub struct GapView {
    /// Why.
    pub reason: RoomGapReason,
    /// The messages after this offset come, and none before.
    pub resumed_at: u64,
}

/// Why messages are missing.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RoomGapReason {
    /// They are not kept any more.
    Expired,
    /// The room has not come so far: it was put back to an earlier state.
    AheadOfRoom,
    /// The room of this name is another one now.
    OtherEpoch,
}

impl GapView {
    /// What is missing when somebody goes on after this offset.
    pub fn new(gap: Gap, resumed_at: u64) -> Self {
        let reason = match gap {
            Gap::Expired => RoomGapReason::Expired,
            Gap::AheadOfRoom => RoomGapReason::AheadOfRoom,
            Gap::OtherEpoch => RoomGapReason::OtherEpoch,
        };
        Self { reason, resumed_at }
    }
}

/// Why one is in a room no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LeftReason {
    /// One asked for it.
    Left,
    /// One was banned.
    Banned,
    /// One may not be in it any more: one is no member or no administrator, or it became private.
    Removed,
    /// It was deleted.
    Deleted,
}

/// What was said.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RoomMessage)]
#[serde(rename_all = "camelCase")]
pub struct MessageView {
    /// Its id.
    pub id: Uuid,
    /// Who said it.
    pub user_id: Uuid,
    /// What; empty when it was deleted.
    #[schema(example = "Hello")]
    pub content: String,
    /// When.
    pub timestamp: DateTime<Utc>,
    /// Its place in the room, from 1, without gaps.
    #[schema(example = 7, minimum = 1)]
    pub offset: u64,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        Self {
            id: message.id.0,
            user_id: message.user.0,
            content: message.content,
            timestamp: message.at,
            offset: message.offset,
            deleted_at: message.deleted_at,
        }
    }
}

impl Outgoing {
    /// What is told of a message of a room.
    pub fn message(room: &str, message: &Message) -> Self {
        Self::Message {
            id: message.id.0,
            user_id: message.user.0,
            content: message.content.clone(),
            room: room.to_owned(),
            timestamp: message.at,
            offset: message.offset,
            deleted_at: message.deleted_at,
        }
    }

    /// As it is sent.
    pub fn frame(&self) -> Frame {
        // Plain values: writing them to memory cannot fail.
        Frame::text(&serde_json::to_string(self).unwrap_or_default())
    }
}
