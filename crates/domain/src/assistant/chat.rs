//! What is asked of a language model, whichever speaks.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::ToolCall;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Whoever runs the shop: how the model is to behave.
    System,
    /// Whoever asks.
    User,
    /// The model.
    Assistant,
    /// A tool, with what it found.
    Tool,
}

/// A picture: bytes, or where they are.
#[derive(Clone, PartialEq, Eq)]
pub enum Image {
    /// An address that the provider fetches it from.
    Url(String),
    /// The bytes themselves in base64, with their media type.
    Inline {
        /// Such as `image/png`.
        media_type: String,
        /// The bytes in base64.
        base64: String,
    },
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Image(..)")
    }
}

/// A part of what is said.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// Text.
    Text(String),
    /// A picture.
    Image(Image),
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Image(image) => image.fmt(f),
        }
    }
}

/// One thing said. `Debug` shows who said it and how much, never what.
#[derive(Clone, PartialEq)]
pub struct Message {
    /// Who.
    pub role: Role,
    /// What.
    pub parts: Vec<Part>,
    /// The tools that the model wants used; of [`Role::Assistant`] alone.
    pub tool_calls: Vec<ToolCall>,
    /// Which of these calls is answered; of [`Role::Tool`] alone.
    pub answers: Option<String>,
}

impl Message {
    /// A text that somebody said.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self { role, parts: vec![Part::Text(text.into())], tool_calls: Vec::new(), answers: None }
    }

    /// What a tool found, for the call of that id.
    pub fn found(call: impl Into<String>, text: impl Into<String>) -> Self {
        Self { answers: Some(call.into()), ..Self::text(Role::Tool, text) }
    }

    /// Its texts, one after the other.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Image(_) => None,
        })
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("role", &self.role).field("parts", &self.parts.len()).finish_non_exhaustive()
    }
}

/// A tool that the model may want used.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name: 1 to 64 of letters, digits, `_` and `-`.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// The JSON Schema of its arguments.
    pub parameters: Value,
    /// Whether the arguments must keep the schema to the letter, where the provider can see to that.
    pub strict: bool,
}

/// Whether tools are to be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// As the model sees fit.
    #[default]
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// The one of this name.
    Named(String),
}

/// The form of the answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum ResponseFormat {
    /// Text.
    #[default]
    Text,
    /// A JSON object of any kind.
    Json,
    /// JSON that keeps a schema.
    Schema {
        /// The name of the schema.
        name: String,
        /// The schema.
        schema: Value,
        /// Whether to the letter, where the provider can see to that.
        strict: bool,
    },
}

/// How much a model may think before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
}

/// What is asked of a model. `Debug` shows sizes, never what is said.
#[derive(Clone, Default, PartialEq)]
pub struct ChatRequest {
    /// What was said so far, the oldest first.
    pub messages: Vec<Message>,
    /// The tools there are.
    pub tools: Vec<Tool>,
    /// Whether they are to be used.
    pub tool_choice: ToolChoice,
    /// Whether several may be wanted at once.
    pub parallel_tools: Option<bool>,
    /// The form of the answer.
    pub format: ResponseFormat,
    /// The most tokens of the answer, thoughts included. Doors leave it to the model's own bound; who calls a port must set it where
    /// money counts.
    pub max_tokens: Option<u32>,
    /// How freely words are chosen, 0 to 2.
    pub temperature: Option<f64>,
    /// Of which share of the likeliest words, 0 to 1.
    pub top_p: Option<f64>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// What makes an answer repeatable, where the provider knows how.
    pub seed: Option<i64>,
    /// How much may be thought.
    pub effort: Option<Effort>,
    /// How many answers are wanted; 0 and 1 are one.
    pub choices: u32,
    /// The body as it came through the OpenAI-shaped door: a provider that speaks this protocol is handed every field of it, known
    /// here or not.
    pub original: Option<Arc<Map<String, Value>>>,
}

impl std::fmt::Debug for ChatRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChatRequest")
            .field("messages", &self.messages.len())
            .field("tools", &self.tools.len())
            .field("max_tokens", &self.max_tokens)
            .finish_non_exhaustive()
    }
}
