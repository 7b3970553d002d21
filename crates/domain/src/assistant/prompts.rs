//! Prompts as data: what the shop asks of models, in versions that are never changed, with variables that have types, and how it serves.
//!
//! A prompt has a name that callers know. Its versions are numbered from 1. A split says which of them serve, and how often; each split that
//! was set is kept, so that one can go back.

mod answer_form;
mod content;
mod content_input;
mod create_prompt;
mod delete_prompt;
mod events;
mod generate;
mod generation;
mod look_after;
pub mod ports;
mod prompt;
mod render;
mod report;
mod sample;
mod say_outcome;
mod schema;
mod set_split;
mod split;
#[cfg(test)]
mod tests;
mod update_prompt;
mod variable;
mod variable_input;
mod write_version;

pub use answer_form::{AnswerForm, Apart, Reasoning, take_apart};
pub use content::{Example, PromptContent, Spoken, SpokenBy};
pub use content_input::{AnswerFormInput, ContentInput, ExampleInput, ReasoningInput, SpokenInput, Untried};
pub use create_prompt::create_prompt;
pub use delete_prompt::delete_prompt;
pub use generate::{Asking, Generated, Heard, Listener, generate, generate_aloud};
pub use generation::{Generation, GenerationState, Outcome, OutcomeInput, OutcomeValue};
pub use look_after::settle_generations;
pub use prompt::{NewPrompt, Prompt, PromptInput, PromptPatch, PromptUse, PromptVersion, VersionNumber};
pub use render::{Rendered, render};
pub use report::{MetricTally, VersionTally};
pub use say_outcome::say_outcome;
pub use set_split::{roll_back, set_split};
pub use split::{Share, ShareInput, Split, SplitInput};
pub use update_prompt::update_prompt;
pub use variable::{Variable, VariableKind};
pub use variable_input::{VariableInput, VariableType};
pub use write_version::write_version;

use std::sync::Arc;

use crate::error::{Error, Result};

/// What prompts stand on. Cheap to clone.
#[derive(Clone)]
pub struct Prompts {
    /// Reads them.
    pub queries: Arc<dyn ports::PromptQueries>,
    /// Makes words of templates.
    pub templates: Arc<dyn ports::Templates>,
}

impl std::fmt::Debug for Prompts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prompts(..)")
    }
}

impl Prompts {
    /// The prompt of this name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn named(&self, name: &str) -> Result<Prompt> {
        let unknown = || Error::NotFound("Prompt");
        // What is no name may not be what a database takes.
        prompt::prompt_name(name).map_err(|_| unknown())?;
        self.queries.named(name).await?.ok_or_else(unknown)
    }

    /// A version of a prompt.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn version(&self, prompt: &Prompt, number: VersionNumber) -> Result<PromptVersion> {
        self.queries.version(prompt.id, number).await?.ok_or(Error::NotFound("Version"))
    }
}
