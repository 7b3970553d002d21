//! What a version of a prompt says.

use serde::{Deserialize, Serialize};

use super::{AnswerForm, Reasoning, Variable};
use crate::assistant::Role;

/// Who says a message of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpokenBy {
    /// The shop: how the model is to behave.
    System,
    /// Whoever asks.
    User,
    /// The model.
    Assistant,
}

impl SpokenBy {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::System, Self::User, Self::Assistant].into_iter().find(|one| one.name() == name)
    }

    pub(super) fn role(self) -> Role {
        match self {
            Self::System => Role::System,
            Self::User => Role::User,
            Self::Assistant => Role::Assistant,
        }
    }
}

/// A message of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// Who says it.
    pub role: SpokenBy,
    /// What, as a template.
    pub template: String,
}

/// A question with the answer that is wished for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The question, as a template.
    pub user: String,
    /// The answer, as a template.
    pub assistant: String,
}

/// What a version of a prompt says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PromptContent {
    /// The messages: those of the shop first, and the last one a question unless all are the shop's.
    pub messages: Vec<Spoken>,
    /// Questions and answers that stand between what the shop says first and the rest.
    pub examples: Vec<Example>,
    /// What templates may name.
    pub variables: Vec<Variable>,
    /// The model that is asked, as callers know it; the usual one when absent.
    pub model: Option<String>,
    /// How freely words are chosen.
    pub temperature: Option<f64>,
    /// Of which share of the likeliest words.
    pub top_p: Option<f64>,
    /// The most tokens of the answer.
    pub max_tokens: Option<u32>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// The form of the answer.
    pub answer: AnswerForm,
    /// Whether the steps to it are asked for.
    pub reasoning: Reasoning,
}

impl PromptContent {
    /// Whether it ends with a question that a model can be asked; else it says only how a model is to behave.
    pub fn asks(&self) -> bool {
        self.messages.last().is_some_and(|last| last.role == SpokenBy::User)
    }
}
