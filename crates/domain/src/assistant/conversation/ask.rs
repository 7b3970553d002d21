//! What a client asks of the assistant in a conversation.

use super::Said;
use crate::error::Violations;

/// Most characters of what a client calls a conversation or a message.
const NAME_MAX: usize = 100;
/// Most parts of one message.
const PARTS_MOST: usize = 64;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The conversation, by its id or by what the client calls it: 1 to 100 of letters, digits, `_` and `-`. One that is not there is begun.
    pub conversation: String,
    /// Whether something new is said.
    pub trigger: Trigger,
    /// Another model than that of the conversation.
    pub model: Option<String>,
    /// Other words for the model than those of the conversation.
    pub system: Option<String>,
}

/// Why an answer is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// The person said something: at the end of what is shown, or in place of a message of theirs.
    Said {
        /// What.
        message: UserMessage,
        /// The message it takes the place of, which stays as another branch.
        instead_of: Option<String>,
    },
    /// Another answer is wanted.
    Again {
        /// To the question of this answer, or to this question; to the last one when absent.
        of: Option<String>,
        /// The question as the client has it, for when it never came here.
        message: Option<UserMessage>,
    },
}

/// Something that the person says.
#[derive(Debug, Clone, PartialEq)]
pub struct UserMessage {
    /// What the client calls it.
    pub client_id: Option<String>,
    /// What is said: text and pictures.
    pub parts: Vec<Said>,
}

/// Whether a client may call something so.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(fits)
}

impl UserMessage {
    fn check(&self, violations: &mut Violations) {
        if self.client_id.as_deref().is_some_and(|id| !is_name(id)) {
            violations.add("/messages", "name", "must have an id of 1 to 100 letters, digits, dashes and underscores");
        }
        let says = |part: &Said| match part {
            Said::Text { text } => !text.trim().is_empty(),
            Said::Picture { .. } => true,
            _ => false,
        };
        if !self.parts.iter().any(says) {
            violations.add("/messages", "empty", "must end with a message of the user that has text or a picture");
        }
        if self.parts.len() > PARTS_MOST {
            violations.add("/messages", "max_items", format!("must have messages of at most {PARTS_MOST} parts"));
        }
        let has_nul = |part: &Said| matches!(part, Said::Text { text } if text.contains('\0'));
        if self.parts.iter().any(has_nul) {
            violations.add("/messages", "control_character", "must not contain the character U+0000");
        }
    }
}

impl Ask {
    /// Checks every field; breaches go to `violations`.
    pub fn check(self, violations: &mut Violations) -> Option<Self> {
        let before = violations.iter().count();
        if !is_name(&self.conversation) {
            violations.add("/id", "name", "must have 1 to 100 letters, digits, dashes and underscores");
        }
        match &self.trigger {
            Trigger::Said { message, .. } => message.check(violations),
            Trigger::Again { message, .. } => message.iter().for_each(|message| message.check(violations)),
        }
        let input = super::ConversationInput { title: None, model: self.model.clone(), system: self.system.clone() };
        input.check(violations);
        (violations.iter().count() == before).then_some(self)
    }
}
