//! Prompts, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{
    MemoryStore, MemoryTx,
    generations::{Answers, tallies},
    page_of,
};
use crate::{
    assistant::prompts::{
        Generation, GenerationState, Outcome, Prompt, PromptVersion, Split, VersionNumber, VersionTally,
        ports::{PromptQueries, PromptRepo},
    },
    clock::Timestamp,
    error::Result,
    id::{GenerationId, PromptId},
    page::{Page, PageRequest},
};

/// Prompts, their versions and their splits.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf {
    prompts: BTreeMap<String, Prompt>,
    versions: BTreeMap<(PromptId, VersionNumber), PromptVersion>,
    splits: BTreeMap<(PromptId, i64), Split>,
    pub(super) answers: Answers,
}

#[async_trait]
impl PromptRepo for MemoryTx {
    async fn insert(&mut self, prompt: &Prompt) -> Result<bool> {
        if self.state.prompts.prompts.contains_key(&prompt.name) {
            return Ok(false);
        }
        self.write().prompts.prompts.insert(prompt.name.clone(), prompt.clone());
        Ok(true)
    }

    async fn find(&mut self, name: &str) -> Result<Option<Prompt>> {
        Ok(self.state.prompts.prompts.get(name).cloned())
    }

    async fn update(&mut self, prompt: &Prompt) -> Result<()> {
        if let Some(stored) = self.write().prompts.prompts.get_mut(&prompt.name) {
            *stored = prompt.clone();
        }
        Ok(())
    }

    async fn delete(&mut self, id: PromptId) -> Result<()> {
        let kept = &mut self.write().prompts;
        kept.prompts.retain(|_, prompt| prompt.id != id);
        kept.versions.retain(|(prompt, _), _| *prompt != id);
        kept.splits.retain(|(prompt, _), _| *prompt != id);
        Ok(())
    }

    async fn count(&mut self) -> Result<u64> {
        Ok(u64::try_from(self.state.prompts.prompts.len()).unwrap_or(u64::MAX))
    }

    async fn add_version(&mut self, version: &PromptVersion) -> Result<()> {
        self.write().prompts.versions.insert((version.prompt, version.number), version.clone());
        Ok(())
    }

    async fn add_split(&mut self, id: PromptId, split: &Split) -> Result<()> {
        self.write().prompts.splits.insert((id, split.number), split.clone());
        Ok(())
    }

    async fn split(&mut self, id: PromptId, number: i64) -> Result<Option<Split>> {
        Ok(self.state.prompts.splits.get(&(id, number)).cloned())
    }

    async fn is_asked(&mut self, id: PromptId) -> Result<bool> {
        Ok(self.state.prompts.answers.all.values().any(|one| one.prompt == id))
    }

    async fn begin(&mut self, generation: &Generation) -> Result<()> {
        self.write().prompts.answers.all.insert(generation.id, generation.clone());
        Ok(())
    }

    async fn end(&mut self, generation: &Generation) -> Result<()> {
        let answers = &mut self.write().prompts.answers.all;
        if let Some(stored) = answers.get_mut(&generation.id).filter(|one| one.state == GenerationState::Running) {
            *stored = generation.clone();
        }
        Ok(())
    }

    async fn generation(&mut self, id: GenerationId) -> Result<Option<Generation>> {
        Ok(self.state.prompts.answers.all.get(&id).cloned())
    }

    async fn outcomes(&mut self, id: GenerationId) -> Result<Vec<Outcome>> {
        Ok(self.state.prompts.answers.outcomes_of(id))
    }

    async fn put_outcome(&mut self, id: GenerationId, outcome: &Outcome) -> Result<()> {
        let key = (id, outcome.metric.clone());
        self.write().prompts.answers.outcomes.insert(key, outcome.clone());
        Ok(())
    }
}

#[async_trait]
impl PromptQueries for MemoryStore {
    async fn named(&self, name: &str) -> Result<Option<Prompt>> {
        Ok(self.state().prompts.prompts.get(name).cloned())
    }

    async fn list(&self, archived: bool, page: PageRequest) -> Result<Page<Prompt>> {
        let state = self.state();
        let wanted = state.prompts.prompts.values().filter(|prompt| prompt.is_archived == archived);
        Ok(page_of(wanted.cloned(), page))
    }

    async fn version(&self, id: PromptId, number: VersionNumber) -> Result<Option<PromptVersion>> {
        Ok(self.state().prompts.versions.get(&(id, number)).cloned())
    }

    async fn versions(&self, id: PromptId, page: PageRequest) -> Result<Page<PromptVersion>> {
        let state = self.state();
        let own = state.prompts.versions.values().rev().filter(|version| version.prompt == id);
        Ok(page_of(own.cloned(), page))
    }

    async fn splits(&self, id: PromptId, page: PageRequest) -> Result<Page<Split>> {
        let state = self.state();
        let own = state.prompts.splits.iter().rev().filter(|((prompt, _), _)| *prompt == id);
        Ok(page_of(own.map(|(_, split)| split.clone()), page))
    }

    async fn generation(&self, id: GenerationId) -> Result<Option<(Generation, Vec<Outcome>)>> {
        let state = self.state();
        let answers = &state.prompts.answers;
        Ok(answers.all.get(&id).map(|one| (one.clone(), answers.outcomes_of(id))))
    }

    async fn report(&self, id: PromptId, from: Timestamp, until: Timestamp) -> Result<Vec<VersionTally>> {
        let state = self.state();
        Ok(tallies(&state.prompts, &state.books, id, from, until))
    }
}
