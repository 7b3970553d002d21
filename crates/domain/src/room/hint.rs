//! What nodes tell each other of a room over the bus. All of it may be lost; messages stand in the database.

use serde::{Deserialize, Serialize};

use super::Message;
use crate::{
    bus::PAYLOAD_MAX,
    id::{RoomId, UserId},
};

/// News of one room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Hint {
    /// A message was stored.
    Message {
        /// The message.
        message: Message,
    },
    /// A message of this offset was stored, which is too large to be carried.
    Stored {
        /// Its offset.
        offset: u64,
    },
    /// A message was deleted.
    Erased {
        /// Its offset.
        offset: u64,
    },
    /// People came and went; of each the last that happened.
    Moved {
        /// Who came.
        joined: Vec<UserId>,
        /// Who went.
        left: Vec<UserId>,
        /// How many are there now.
        count: u64,
    },
    /// Somebody is writing, or has stopped.
    Typing {
        /// Who.
        user: UserId,
        /// Whether they are.
        active: bool,
    },
    /// Somebody has read up to this offset.
    Read {
        /// Who.
        user: UserId,
        /// The offset.
        offset: u64,
    },
    /// Who is there may be otherwise than was told: look.
    Crowd,
    /// Who may be in the room has changed, or the room is gone: look.
    Admission,
}

impl Hint {
    /// The topic of the bus that news of a room goes to.
    pub fn topic(room: RoomId) -> String {
        format!("room:{room}")
    }

    /// That a message was stored: with it, if the bus carries it.
    pub fn stored(message: &Message) -> Vec<u8> {
        let whole = Self::Message { message: message.clone() }.encode();
        if whole.len() <= PAYLOAD_MAX { whole } else { Self::Stored { offset: message.offset }.encode() }
    }

    /// As it travels.
    pub fn encode(&self) -> Vec<u8> {
        // Plain values: writing them to memory cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads it back; `None` for what another version of the program may have written.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{clock::Timestamp, id::MessageId};

    #[test]
    fn a_large_message_is_told_by_its_offset() {
        let message = |content: String| Message {
            id: MessageId(Uuid::nil()),
            offset: 7,
            user: UserId(Uuid::nil()),
            content,
            at: Timestamp::UNIX_EPOCH,
            deleted_at: None,
        };
        let small = message("Hello".to_owned());
        assert_eq!(Hint::decode(&Hint::stored(&small)), Some(Hint::Message { message: small }));
        let large = message("é".repeat(4000));
        assert_eq!(Hint::decode(&Hint::stored(&large)), Some(Hint::Stored { offset: 7 }));
        assert_eq!(Hint::decode(b"{\"t\":\"new\"}"), None);
    }
}
