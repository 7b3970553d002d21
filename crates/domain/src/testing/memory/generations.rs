//! Answers that were asked for by prompts, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStore, ledger::Books, prompts::Shelf};
use crate::{
    assistant::prompts::{
        Generation, GenerationState, MetricTally, Outcome, OutcomeValue, VersionTally, ports::GenerationStore,
    },
    clock::Timestamp,
    error::Result,
    id::{GenerationId, PromptId},
};

/// Answers, and how they turned out.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    pub(super) all: BTreeMap<GenerationId, Generation>,
    pub(super) outcomes: BTreeMap<(GenerationId, String), Outcome>,
}

impl Answers {
    pub(super) fn outcomes_of(&self, id: GenerationId) -> Vec<Outcome> {
        self.outcomes.iter().filter(|((of, _), _)| *of == id).map(|(_, outcome)| outcome.clone()).collect()
    }
}

/// How the versions of a prompt did.
pub(super) fn tallies(
    shelf: &Shelf,
    books: &Books,
    id: PromptId,
    from: Timestamp,
    until: Timestamp,
) -> Vec<VersionTally> {
    let mut tallies = BTreeMap::<i64, VersionTally>::new();
    let meant = |one: &&Generation| one.prompt == id && one.started_at >= from && one.started_at < until;
    for one in shelf.answers.all.values().filter(meant) {
        let tally = tallies.entry(one.version.0).or_default();
        tally.version = one.version.0;
        tally.runs += 1;
        match one.state {
            GenerationState::Running => tally.open += 1,
            GenerationState::Done => {
                tally.done += 1;
                tally.took += one.took.unwrap_or_default();
            }
            GenerationState::Failed => tally.failed += 1,
            GenerationState::Refused => tally.refused += 1,
        }
        for call in books.calls.values().filter(|row| row.call.generation == Some(one.id)) {
            tally.calls += 1;
            if let Some(settled) = &call.settled {
                tally.usage.prompt += settled.usage.prompt;
                tally.usage.completion += settled.usage.completion;
                tally.usage.cached += settled.usage.cached;
                tally.usage.reasoning += settled.usage.reasoning;
                tally.cost += settled.cost.unwrap_or_default();
            }
        }
        for outcome in shelf.answers.outcomes_of(one.id) {
            add(&mut tally.metrics, &outcome);
        }
    }
    for tally in tallies.values_mut() {
        tally.metrics.sort_by(|a, b| a.metric.cmp(&b.metric));
    }
    tallies.into_values().collect()
}

fn add(metrics: &mut Vec<MetricTally>, outcome: &Outcome) {
    if !metrics.iter().any(|one| one.metric == outcome.metric) {
        metrics.push(MetricTally { metric: outcome.metric.clone(), ..MetricTally::default() });
    }
    let number = outcome.value.number();
    for tally in metrics.iter_mut().filter(|one| one.metric == outcome.metric) {
        tally.count += 1;
        tally.flags += u64::from(matches!(outcome.value, OutcomeValue::Flag(_)));
        tally.sum += number;
        tally.squares += number * number;
    }
}

#[async_trait]
impl GenerationStore for MemoryStore {
    async fn give_up(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        Ok(self.change(|state| {
            let mut lost = 0;
            for one in state.prompts.answers.all.values_mut() {
                if one.state == GenerationState::Running && one.started_at < before {
                    (one.state, one.reason, one.ended_at) =
                        (GenerationState::Failed, Some("lost".to_owned()), Some(now));
                    lost += 1;
                }
            }
            lost
        }))
    }

    async fn purge_generations(&self, before: Timestamp, limit: u32) -> Result<u64> {
        Ok(self.change(|state| {
            let answers = &mut state.prompts.answers;
            let mut old: Vec<_> =
                answers.all.values().filter(|one| one.ended_at.is_some_and(|at| at < before)).collect();
            old.sort_by_key(|one| one.ended_at);
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let gone: Vec<_> = old.into_iter().take(limit).map(|one| one.id).collect();
            answers.all.retain(|id, _| !gone.contains(id));
            answers.outcomes.retain(|(id, _), _| !gone.contains(id));
            u64::try_from(gone.len()).unwrap_or(u64::MAX)
        }))
    }
}
