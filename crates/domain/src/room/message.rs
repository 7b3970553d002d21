//! What is said in a room.

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    error::{Breach, Violations},
    id::{MessageId, UserId},
    text,
};

/// Most characters of a message.
pub const CONTENT_MAX: usize = 4000;
/// Most characters of what a client calls its message.
const CLIENT_ID_MAX: usize = 64;

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Its place in the room, from 1, without gaps.
    pub offset: u64,
    /// Who wrote it.
    pub user: UserId,
    /// 1 to 4000 characters; empty when it was deleted.
    pub content: String,
    /// When it was written.
    pub at: Timestamp,
    /// When it was deleted; its place stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// A message as sent, unchecked.
#[derive(Debug, Clone, Default)]
pub struct MessageInput {
    /// Required, 1 to 4000 characters.
    pub content: Option<String>,
    /// What the client calls it: sent again under the same name it is stored once.
    pub client_id: Option<String>,
}

/// A checked [`MessageInput`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// What is said.
    pub content: String,
    /// What the client calls it.
    pub client_id: Option<String>,
}

impl MessageInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(self, violations: &mut Violations) -> Option<NewMessage> {
        let content = match self.content {
            Some(content) => violations.check("/content", text::paragraph(&content, 1, CONTENT_MAX)),
            None => violations.missing("/content"),
        };
        let client_id = match self.client_id {
            None => Some(None),
            Some(id) => violations.check("/clientId", client_id(&id)).map(Some),
        };
        Some(NewMessage { content: content?, client_id: client_id? })
    }
}

fn client_id(id: &str) -> Result<String, Breach> {
    text::line(id, 1, CLIENT_ID_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_bounds() {
        let check = |content: &str, id: Option<&str>| {
            let mut violations = Violations::default();
            let input = MessageInput { content: Some(content.to_owned()), client_id: id.map(str::to_owned) };
            let checked = input.check(&mut violations);
            checked.ok_or_else(|| violations.iter().map(|one| one.field.clone()).collect::<Vec<_>>())
        };
        assert!(check("Hello\n\tthere", Some("1")).is_ok());
        assert!(check(&"é".repeat(4000), None).is_ok());
        for bad in ["", "  \n", "a\0b", &"x".repeat(4001)] {
            assert_eq!(check(bad, None).unwrap_err(), ["/content"], "{bad:.10?}");
        }
        assert_eq!(check("", Some(&"x".repeat(65))).unwrap_err(), ["/content", "/clientId"]);
    }
}
