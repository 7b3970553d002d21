//! What prompts need from outside.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{Generation, Outcome, Prompt, PromptVersion, Split, VersionNumber, VersionTally};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{GenerationId, PromptId},
    page::{Page, PageRequest},
};

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// In which line, from 1, where that is known.
    pub line: Option<u32>,
    /// What, and what to do about it, for people.
    pub message: String,
    /// Whether it is so whatever values there are.
    pub is_lasting: bool,
}

/// Makes words of templates, by values alone: the same values make the same words. Values are never read as templates. Whatever a
/// template says, MUST end soon and hold little memory; there is nothing it can read but its values. MUST NOT hold up others meanwhile.
#[async_trait]
pub trait Templates: Send + Sync {
    /// The variables that a template may look up.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn names(&self, template: &str) -> Result<BTreeSet<String>, TemplateFault>;

    /// The words of a template with these values, of so many bytes at most.
    ///
    /// # Errors
    /// When it cannot be read, takes too long, or names what there is not.
    async fn render(
        &self,
        template: &str,
        values: &Arc<Map<String, Value>>,
        most: usize,
    ) -> Result<String, TemplateFault>;
}

/// The write side of prompts.
#[async_trait]
pub trait PromptRepo: Send {
    /// Stores a new one, without versions and splits; `false` when the name is taken.
    async fn insert(&mut self, prompt: &Prompt) -> Result<bool>;

    /// The one of that name. It is held until the transaction ends, so that of two changes one goes after the other.
    async fn find(&mut self, name: &str) -> Result<Option<Prompt>>;

    /// Stores what it is for, whether it is put away, its latest version, the number of its split, its version and its moment.
    async fn update(&mut self, prompt: &Prompt) -> Result<()>;

    /// Removes it with its versions and splits. It MUST have none that ran.
    async fn delete(&mut self, id: PromptId) -> Result<()>;

    /// How many there are.
    async fn count(&mut self) -> Result<u64>;

    /// Stores a new version.
    async fn add_version(&mut self, version: &PromptVersion) -> Result<()>;

    /// Stores a new split.
    async fn add_split(&mut self, id: PromptId, split: &Split) -> Result<()>;

    /// The split of that number.
    async fn split(&mut self, id: PromptId, number: i64) -> Result<Option<Split>>;

    /// Whether a model was ever asked by it, as far as that is kept.
    async fn is_asked(&mut self, id: PromptId) -> Result<bool>;

    /// Notes that a model is asked.
    async fn begin(&mut self, generation: &Generation) -> Result<()>;

    /// Notes how that ended, unless it had before.
    async fn end(&mut self, generation: &Generation) -> Result<()>;

    /// An answer that was asked for, held until the transaction ends.
    async fn generation(&mut self, id: GenerationId) -> Result<Option<Generation>>;

    /// What was said of an answer, by measure.
    async fn outcomes(&mut self, id: GenerationId) -> Result<Vec<Outcome>>;

    /// Stores what is said of an answer, in place of what was said by the same measure.
    async fn put_outcome(&mut self, id: GenerationId, outcome: &Outcome) -> Result<()>;
}

/// The read side of prompts.
#[async_trait]
pub trait PromptQueries: Send + Sync {
    /// The one of that name.
    async fn named(&self, name: &str) -> Result<Option<Prompt>>;

    /// Prompts by name, byte by byte: those that are put away, or those that are not.
    async fn list(&self, archived: bool, page: PageRequest) -> Result<Page<Prompt>>;

    /// A version.
    async fn version(&self, id: PromptId, number: VersionNumber) -> Result<Option<PromptVersion>>;

    /// The versions of a prompt, the latest first.
    async fn versions(&self, id: PromptId, page: PageRequest) -> Result<Page<PromptVersion>>;

    /// The splits that were set, the latest first.
    async fn splits(&self, id: PromptId, page: PageRequest) -> Result<Page<Split>>;

    /// An answer that was asked for, and what was said of it, by measure.
    async fn generation(&self, id: GenerationId) -> Result<Option<(Generation, Vec<Outcome>)>>;

    /// How the versions of a prompt did that were asked from `from` on and before `until`, by number; the measures of each by name.
    async fn report(&self, id: PromptId, from: Timestamp, until: Timestamp) -> Result<Vec<VersionTally>>;
}

/// What the schedule does for answers that were asked for by prompts.
#[async_trait]
pub trait GenerationStore: Send + Sync {
    /// Says of those that began before `before` and go on that they failed: whoever made them was killed. Gives how many.
    async fn give_up(&self, before: Timestamp, now: Timestamp) -> Result<u64>;

    /// Removes those that ended before `before`, at most `limit`, with what was said of them; gives how many.
    async fn purge_generations(&self, before: Timestamp, limit: u32) -> Result<u64>;
}
