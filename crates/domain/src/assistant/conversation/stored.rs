//! A conversation, and what may be sent to make or change one.

use crate::{
    assistant::prompts::PromptUse,
    catalog::Version,
    clock::Timestamp,
    error::{Breach, Violations},
    id::{ConversationId, ConversationMessageId, UserId},
    text,
};

/// The most messages of one conversation, branches included.
pub const MESSAGES_MOST: u64 = 2_000;
/// Most characters of a title.
const TITLE_MAX: usize = 100;
/// Most characters of a title that is made of the first words.
const TITLE_MADE: usize = 60;
/// Most characters of the words for the model.
const SYSTEM_MAX: usize = 8_000;
/// Most characters of the name of a model.
const MODEL_MAX: usize = 100;

/// A conversation. It belongs to one person, and nobody else sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Whose it is.
    pub owner: UserId,
    /// What the client calls it, if it began it under a name of its own.
    pub client_id: Option<String>,
    /// Its title; empty until the first question.
    pub title: String,
    /// The model that answers, as callers know it; `None` for the usual one.
    pub model: Option<String>,
    /// How the model is to behave.
    pub system: Option<String>,
    /// The version of a prompt that says so, unless it was changed since.
    pub prompt: Option<PromptUse>,
    /// Whether it is put away.
    pub is_archived: bool,
    /// The last message of the branch that is shown.
    pub active: Option<ConversationMessageId>,
    /// What was said at the beginning, in short.
    pub summary: Option<Summary>,
    /// How often it was changed, from 1; what is said counts.
    pub version: Version,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was last changed, or something was said in it.
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation").field("id", &self.id).field("version", &self.version).finish_non_exhaustive()
    }
}

/// What was said at the beginning of a conversation, in short.
#[derive(Clone, PartialEq, Eq)]
pub struct Summary {
    /// In these words.
    pub text: String,
    /// Up to this message, which is in it.
    pub to: ConversationMessageId,
}

impl std::fmt::Debug for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Summary").field("to", &self.to).finish_non_exhaustive()
    }
}

/// A conversation as sent, unchecked.
#[derive(Debug, Clone, Default)]
pub struct ConversationInput {
    /// Made of the first words when absent.
    pub title: Option<String>,
    /// The usual one when absent.
    pub model: Option<String>,
    /// None when absent.
    pub system: Option<String>,
}

/// A checked [`ConversationInput`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewConversation {
    pub(super) title: Option<String>,
    pub(super) model: Option<String>,
    pub(super) system: Option<String>,
    pub(super) prompt: Option<PromptUse>,
}

impl NewConversation {
    /// The same in which a version of a prompt says how the model is to behave, and which model that is unless it is said already.
    ///
    /// # Errors
    /// What is wrong with its words.
    pub fn by_prompt(self, prompt: PromptUse, words: &str, model: Option<String>) -> Result<Self, Breach> {
        let system = Some(system_rule(words)?);
        Ok(Self { system, prompt: Some(prompt), model: self.model.or(model), ..self })
    }
}

impl ConversationInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(self, violations: &mut Violations) -> Option<NewConversation> {
        let mut new = NewConversation::default();
        let before = violations.iter().count();
        new.title = self.title.and_then(|title| violations.check("/title", title_rule(&title)));
        new.model = self.model.and_then(|model| violations.check("/model", model_rule(&model)));
        new.system = self.system.and_then(|system| violations.check("/system", system_rule(&system)));
        (violations.iter().count() == before).then_some(new)
    }
}

/// A change of a conversation: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationPatch {
    /// Another title.
    pub title: Option<String>,
    /// Another model; `None` inside for the usual one.
    pub model: Option<Option<String>>,
    /// Other words for the model; `None` inside for none.
    pub system: Option<Option<String>>,
    /// Whether it is put away.
    pub is_archived: Option<bool>,
    /// The branch that is shown, by any of its messages: the latest leaf below it becomes active.
    pub active: Option<ConversationMessageId>,
}

impl ConversationPatch {
    /// Checks every field; breaches go to `violations`.
    pub fn check(self, violations: &mut Violations) -> Option<Self> {
        let before = violations.iter().count();
        if let Some(title) = &self.title {
            violations.check("/title", title_rule(title));
        }
        if let Some(Some(model)) = &self.model {
            violations.check("/model", model_rule(model));
        }
        if let Some(Some(system)) = &self.system {
            violations.check("/system", system_rule(system));
        }
        (violations.iter().count() == before).then_some(self)
    }
}

fn title_rule(title: &str) -> Result<String, Breach> {
    text::line(title, 1, TITLE_MAX)
}

fn model_rule(model: &str) -> Result<String, Breach> {
    text::line(model, 1, MODEL_MAX)
}

fn system_rule(system: &str) -> Result<String, Breach> {
    text::paragraph(system, 0, SYSTEM_MAX)
}

/// The title that is made of a question: its first words.
pub fn title_of(question: &str) -> String {
    let mut title = String::new();
    let mut length = 0;
    for word in question.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        let more = word.chars().count() + usize::from(length > 0);
        if length + more > TITLE_MADE {
            if length == 0 {
                title.extend(word.chars().take(TITLE_MADE));
            }
            title.push('…');
            return title;
        }
        if length > 0 {
            title.push(' ');
        }
        title.push_str(word);
        length += more;
    }
    if title.is_empty() { "…".to_owned() } else { title }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_made_of_the_first_words() {
        assert_eq!(title_of("  Which lamp\n fits\tmy desk? "), "Which lamp fits my desk?");
        assert_eq!(title_of(&"lamp ".repeat(50)), format!("{}…", "lamp ".repeat(12).trim_end()));
        assert_eq!(title_of(&"x".repeat(500)), format!("{}…", "x".repeat(60)));
        assert_eq!((title_of(""), title_of(" \u{0} ")), ("…".to_owned(), "…".to_owned()));
        for text in ["a", "日本語の長い文章", &"é".repeat(99)] {
            assert!(title_rule(&title_of(text)).is_ok());
        }
    }

    #[test]
    fn every_fault_is_told() {
        let mut violations = Violations::default();
        let input = ConversationInput {
            title: Some(" ".to_owned()),
            model: Some(String::new()),
            system: Some("x".repeat(8_001)),
        };
        assert_eq!(input.check(&mut violations), None);
        let fields: Vec<_> = violations.iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["/title", "/model", "/system"]);
        assert_eq!(ConversationInput::default().check(&mut Violations::default()), Some(NewConversation::default()));
    }
}
