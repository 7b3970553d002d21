//! `[chat]`: what models are told in conversations.

use std::time::Duration;

use domain::assistant::conversation::{TalkRules, WindowRules};

use super::{Reader, Setting, assistant::Assistance};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("chat.model", "", "The model that answers where nobody says which; the first by name when empty."),
    Setting::new("chat.system", "", "What every model is told in conversations, before what anybody else says."),
    Setting::new(
        "chat.context_tokens",
        "0",
        "The most tokens of a question with what was said before; 0 for as many as the model reads.",
    ),
    Setting::new(
        "chat.context_messages",
        "0",
        "The most messages that a model is told before a question; 0 for as many as fit.",
    ),
    Setting::new(
        "chat.summary_tokens",
        "2000",
        "What does not fit any more is told in short when it has so many tokens, by a call of the model; 0 for never.",
    ),
    Setting::new(
        "chat.memories",
        "0",
        "How many messages of other conversations of the same person a model is reminded of; 0 for none.",
    ),
    Setting::new(
        "chat.tool_rounds",
        "5",
        "How often a model is asked again for one answer after tools were used; 0 gives it no tools.",
    ),
    Setting::new("chat.keep_days", "0", "Days that conversations are kept that nobody touched; 0 keeps them for ever."),
];

/// Conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chat {
    pub(crate) rules: TalkRules,
    pub(crate) keep: Option<Duration>,
}

impl Chat {
    pub(crate) fn read(reader: &mut Reader<'_>, assistant: Option<&Assistance>) -> Option<Self> {
        let model = Some(reader.text("chat.model")).filter(|model| !model.is_empty());
        let is_there = |name: &String| {
            assistant.is_none_or(|all| all.models.iter().any(|one| one.name == *name && one.dimension.is_none()))
        };
        if let Some(name) = model.as_ref().filter(|name| !is_there(name)) {
            reader.fault("chat.model", format!("there is no model {name:?} that answers"));
        }
        let system = reader.text("chat.system");
        let tokens = reader.number("chat.context_tokens", 0..=100_000_000_u64);
        let messages = reader.number("chat.context_messages", 0..=2_000_usize);
        let summary = reader.number("chat.summary_tokens", 0..=1_000_000_u64);
        let memories = reader.number("chat.memories", 0..=20_u32);
        let rounds = reader.number("chat.tool_rounds", 0..=50_u32);
        let days = reader.number("chat.keep_days", 0..=36_500_u64);
        let window = WindowRules { tokens: tokens?, messages: messages?, summary: summary? };
        let keep = Some(days?).filter(|days| *days > 0).map(|days| Duration::from_hours(24 * days));
        Some(Self { rules: TalkRules { model, system, window, memories: memories?, tool_rounds: rounds? }, keep })
    }
}
