//! A message of a conversation, and how an answer grows while it is heard.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{ChatEvent, Finish, Usage, chat};
use crate::{
    clock::Timestamp,
    id::{ConversationId, ConversationMessageId},
    text,
};

/// How often an answer that is under way is written down at least, whether or not more of it came.
pub const BEAT: Duration = Duration::from_secs(5);
/// An answer under way that was not written down for so long is cut: whoever made it was killed.
pub const SILENCE: Duration = Duration::from_secs(20);

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Speaker {
    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::User, Self::Assistant].into_iter().find(|speaker| speaker.name() == name)
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// It is being said.
    Streaming,
    /// It is whole.
    Done,
    /// It broke off, or nobody wanted more of it.
    Cut,
    /// It failed.
    Failed,
}

impl MessageState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Streaming, Self::Done, Self::Cut, Self::Failed];

    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Streaming => "streaming",
            Self::Done => "done",
            Self::Cut => "cut",
            Self::Failed => "failed",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A tool that the model wanted used.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolUse {
    /// The id of the call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments as the model wrote them.
    pub arguments: String,
    /// What the provider wants back with the call, unread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Whether the arguments are whole.
    #[serde(default)]
    pub is_asked: bool,
    /// What came of it; `None` until it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

impl std::fmt::Debug for ToolUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToolUse").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What came of using a tool.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It gave this.
    Found(Value),
    /// It could not be used, for this reason.
    Refused(String),
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Found(_)) { "Found(..)" } else { "Refused(..)" })
    }
}

/// A part of a message.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Said {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// What the model thought, where its provider tells.
    Thought {
        /// The thought.
        text: String,
    },
    /// A picture.
    Picture {
        /// Where it is: an address, or the picture itself as a `data:` address in base64.
        url: String,
        /// Such as `image/png`.
        media_type: String,
    },
    /// Here the model was asked again, after tools were used.
    Step,
    /// A tool that the model wanted used.
    Tool(ToolUse),
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text { text } => write!(f, "Text({} bytes)", text.len()),
            Self::Thought { text } => write!(f, "Thought({} bytes)", text.len()),
            Self::Picture { media_type, .. } => write!(f, "Picture({media_type})"),
            Self::Step => f.write_str("Step"),
            Self::Tool(used) => used.fmt(f),
        }
    }
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: ConversationMessageId,
    /// Where it was said.
    pub conversation: ConversationId,
    /// The message it follows; `None` at the beginning.
    pub parent: Option<ConversationMessageId>,
    /// What the client calls it.
    pub client_id: Option<String>,
    /// Who said it.
    pub speaker: Speaker,
    /// What was said.
    pub parts: Vec<Said>,
    /// What became of it.
    pub state: MessageState,
    /// Why it is not whole, for people.
    pub fault: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// What it used, over all its steps.
    pub usage: Option<Usage>,
    /// Whether a model is to be told of it for ever.
    pub is_pinned: bool,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was last written down.
    pub written_at: Timestamp,
}

impl Message {
    /// Its state at this moment: an answer that nobody goes on with is cut.
    pub fn state_at(&self, now: Timestamp) -> MessageState {
        let is_given_up = self.state == MessageState::Streaming && self.written_at + SILENCE < now;
        if is_given_up { MessageState::Cut } else { self.state }
    }

    /// Its text, without what was thought and what tools said.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match part {
            Said::Text { text } => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// By which words it is found.
    pub fn search_text(&self) -> String {
        text::search_text(&[&self.text()])
    }

    /// Who says it to a model, and in which words. A call of a tool and what came of it go together.
    pub fn spoken(&self) -> Vec<chat::Message> {
        if self.speaker == Speaker::User {
            let parts: Vec<_> = self.parts.iter().filter_map(spoken_part).collect();
            let said = chat::Message { parts, ..chat::Message::text(chat::Role::User, "") };
            return if said.parts.is_empty() { Vec::new() } else { vec![said] };
        }
        self.parts.split(|part| *part == Said::Step).flat_map(step).collect()
    }
}

/// What a model said in one step, and what its tools gave.
fn step(parts: &[Said]) -> Vec<chat::Message> {
    let texts: Vec<_> = parts.iter().filter(|part| matches!(part, Said::Text { .. })).filter_map(spoken_part).collect();
    let (mut calls, mut found) = (Vec::new(), Vec::new());
    for part in parts {
        let Said::Tool(used) = part else { continue };
        calls.push(super::super::ToolCall {
            id: used.id.clone(),
            name: used.name.clone(),
            arguments: used.arguments.clone(),
            signature: used.signature.clone(),
        });
        let answer = match &used.outcome {
            Some(Outcome::Found(value)) => for_the_model(value).to_string(),
            Some(Outcome::Refused(why)) => serde_json::json!({ "error": why }).to_string(),
            None => serde_json::json!({ "error": "It was not used" }).to_string(),
        };
        found.push(chat::Message::found(&used.id, answer));
    }
    if texts.is_empty() && calls.is_empty() {
        return Vec::new();
    }
    let said = chat::Message { role: chat::Role::Assistant, parts: texts, tool_calls: calls, answers: None };
    std::iter::once(said).chain(found).collect()
}

/// What a tool gave, without the word by which the person alone confirms it.
fn for_the_model(value: &Value) -> Value {
    let mut value = value.clone();
    if value.get("status").is_some_and(|status| status == "proposed")
        && let Some(fields) = value.as_object_mut()
    {
        fields.remove("confirmation");
    }
    value
}

fn spoken_part(part: &Said) -> Option<chat::Part> {
    match part {
        Said::Text { text } if !text.is_empty() => Some(chat::Part::Text(text.clone())),
        Said::Picture { url, .. } => Some(chat::Part::Image(picture(url))),
        _ => None,
    }
}

fn picture(url: &str) -> chat::Image {
    let inline = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match inline {
        Some((media_type, base64)) => {
            chat::Image::Inline { media_type: media_type.to_owned(), base64: base64.to_owned() }
        }
        None => chat::Image::Url(url.to_owned()),
    }
}

/// Puts what a model says into its message, piece by piece.
#[derive(Debug, Default)]
pub struct Hearing {
    /// Where the tools of this step stand in the message.
    tools: BTreeMap<u32, usize>,
    /// What the steps before this one used.
    before: Usage,
    /// What this one used so far.
    now: Usage,
    finish: Option<Finish>,
}

impl Hearing {
    /// Takes a piece.
    pub fn take(&mut self, message: &mut Message, event: &ChatEvent) {
        match event {
            ChatEvent::Text(more) => match message.parts.last_mut() {
                Some(Said::Text { text }) => text.push_str(more),
                _ => message.parts.push(Said::Text { text: more.clone() }),
            },
            ChatEvent::Reasoning(more) => match message.parts.last_mut() {
                Some(Said::Thought { text }) => text.push_str(more),
                _ => message.parts.push(Said::Thought { text: more.clone() }),
            },
            ChatEvent::Tool { index, id, name, arguments, signature } => {
                let place = *self.tools.entry(*index).or_insert_with(|| {
                    message.parts.push(Said::Tool(ToolUse::default()));
                    message.parts.len() - 1
                });
                let Some(Said::Tool(used)) = message.parts.get_mut(place) else { return };
                if let Some(id) = id {
                    used.id.clone_from(id);
                }
                if let Some(name) = name {
                    used.name.clone_from(name);
                }
                if signature.is_some() {
                    used.signature.clone_from(signature);
                }
                used.arguments.push_str(arguments);
            }
            ChatEvent::Finish(finish) => self.finish = Some(*finish),
            ChatEvent::Usage(usage) => {
                self.now = *usage;
                message.usage = Some(sum(self.before, self.now));
            }
        }
    }

    /// The step is over: no more comes of the arguments of its tools. Gives where those stand that are to be used.
    pub fn step_ended(&mut self, message: &mut Message) -> Vec<usize> {
        let places: Vec<usize> = std::mem::take(&mut self.tools).into_values().collect();
        for place in &places {
            if let Some(Said::Tool(used)) = message.parts.get_mut(*place) {
                used.is_asked = true;
                if used.id.is_empty() {
                    used.id = format!("call-{place}");
                }
            }
        }
        self.before = sum(self.before, std::mem::take(&mut self.now));
        places
    }

    /// Why the last step ended, as far as the provider said.
    pub fn finish(&self) -> Option<Finish> {
        self.finish
    }
}

fn sum(one: Usage, other: Usage) -> Usage {
    Usage {
        prompt: one.prompt.saturating_add(other.prompt),
        completion: one.completion.saturating_add(other.completion),
        cached: one.cached.saturating_add(other.cached),
        reasoning: one.reasoning.saturating_add(other.reasoning),
    }
}
