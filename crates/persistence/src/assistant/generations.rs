//! Answers that were asked for by prompts, and how they turned out.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use domain::{
    Error, Result,
    assistant::{
        Usage,
        prompts::{
            Generation, GenerationState, MetricTally, Outcome, OutcomeValue, VersionNumber, VersionTally,
            ports::GenerationStore,
        },
    },
    clock::Timestamp,
    id::{GenerationId, PromptId, UserId},
};
use sea_orm::{ConnectionTrait, QueryResult};

use crate::{
    database::Database,
    engine::Engine,
    statement::{all, at, count, execute, one, statement},
    tx::SeaTx,
};

/// Where numbers are cut in two: one row with the largest number there is would break the sum of all.
const CUT: u64 = 1_000_000_000;
const GENERATION: &str = "id, prompt_id, version, user_id, model, state, reason, took_ms, started_at, ended_at";

impl SeaTx {
    pub(super) async fn begin_generation(&mut self, one: &Generation) -> Result<()> {
        let sql = "INSERT INTO prompt_generations (id, prompt_id, version, user_id, model, state, started_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = [
            one.id.0.into(),
            one.prompt.0.into(),
            one.version.0.into(),
            one.user.0.into(),
            one.model.as_str().into(),
            one.state.name().into(),
            one.started_at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    pub(super) async fn end_generation(&mut self, one: &Generation) -> Result<()> {
        let sql = "UPDATE prompt_generations SET state = $2, reason = $3, took_ms = $4, ended_at = $5 \
                   WHERE id = $1 AND state = 'running'";
        let took = one.took.map(|took| i64::try_from(took.as_millis()).unwrap_or(i64::MAX));
        let values =
            [one.id.0.into(), one.state.name().into(), one.reason.clone().into(), took.into(), one.ended_at.into()];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    pub(super) async fn held_generation(&mut self, id: GenerationId) -> Result<Option<Generation>> {
        let held = self.engine.pick("", " FOR UPDATE");
        let sql = format!("SELECT {GENERATION} FROM prompt_generations WHERE id = $1{held}");
        let found = one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        found.map(|row| generation(&row)).transpose()
    }

    pub(super) async fn outcomes_of(&mut self, id: GenerationId) -> Result<Vec<Outcome>> {
        outcomes(&self.tx, self.engine, id).await
    }

    pub(super) async fn replace_outcome(&mut self, id: GenerationId, outcome: &Outcome) -> Result<()> {
        let sql = "INSERT INTO prompt_outcomes (generation_id, metric, is_flag, value, said_at) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (generation_id, metric) DO UPDATE SET \
                   is_flag = excluded.is_flag, value = excluded.value, said_at = excluded.said_at";
        let values = [
            id.0.into(),
            outcome.metric.as_str().into(),
            matches!(outcome.value, OutcomeValue::Flag(_)).into(),
            outcome.value.number().into(),
            outcome.at.into(),
        ];
        execute(&self.tx, statement(self.engine, sql, values)).await.map(|_| ())
    }

    pub(super) async fn has_generations(&mut self, id: PromptId) -> Result<bool> {
        let sql = "SELECT 1 FROM prompt_generations WHERE prompt_id = $1 LIMIT 1";
        Ok(one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?.is_some())
    }
}

impl Database {
    pub(super) async fn generation_with_outcomes(
        &self,
        id: GenerationId,
    ) -> Result<Option<(Generation, Vec<Outcome>)>> {
        let sql = format!("SELECT {GENERATION} FROM prompt_generations WHERE id = $1");
        let Some(row) = one(&self.reader, statement(self.engine, sql, [id.0.into()])).await? else { return Ok(None) };
        Ok(Some((generation(&row)?, outcomes(&self.reader, self.engine, id).await?)))
    }

    pub(super) async fn tallies(&self, id: PromptId, from: Timestamp, until: Timestamp) -> Result<Vec<VersionTally>> {
        let values = || [id.0.into(), from.into(), until.into()];
        let read = async |sql: String| all(&self.reader, statement(self.engine, sql, values())).await;
        let these = "g.prompt_id = $1 AND g.started_at >= $2 AND g.started_at < $3";
        let mut tallies = BTreeMap::<i64, VersionTally>::new();

        let state = |state: &str| format!(", sum(CASE WHEN g.state = '{state}' THEN 1 ELSE 0 END)");
        let runs = format!(
            "SELECT g.version, count(*){}{}{}{}, \
             CAST(coalesce(sum(CASE WHEN g.state = 'done' THEN g.took_ms ELSE 0 END), 0) AS bigint) \
             FROM prompt_generations g WHERE {these} GROUP BY g.version",
            state("running"),
            state("done"),
            state("failed"),
            state("refused"),
        );
        for row in read(runs).await? {
            let version = at(&row, 0)?;
            let tally = VersionTally {
                version,
                runs: count(&row, 1)?,
                open: count(&row, 2)?,
                done: count(&row, 3)?,
                failed: count(&row, 4)?,
                refused: count(&row, 5)?,
                took: Duration::from_millis(count(&row, 6)?),
                ..VersionTally::default()
            };
            tallies.insert(version, tally);
        }

        let summed = ["prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens", "cost"];
        let sums = summed.map(|one| {
            format!(
                ", CAST(coalesce(sum(c.{one} / {CUT}), 0) AS bigint), CAST(coalesce(sum(c.{one} % {CUT}), 0) AS bigint)"
            )
        });
        let spent = format!(
            "SELECT g.version, count(*){} FROM prompt_generations g JOIN assistant_calls c ON c.generation_id = g.id \
             WHERE {these} GROUP BY g.version",
            sums.concat()
        );
        for row in read(spent).await? {
            let Some(tally) = tallies.get_mut(&at(&row, 0)?) else { continue };
            let sum = |index: usize| -> Result<u64> {
                Ok(count(&row, index)?.saturating_mul(CUT).saturating_add(count(&row, index + 1)?))
            };
            tally.calls = count(&row, 1)?;
            tally.usage = Usage { prompt: sum(2)?, completion: sum(4)?, cached: sum(6)?, reasoning: sum(8)? };
            tally.cost = sum(10)?;
        }

        let said = format!(
            "SELECT g.version, o.metric, count(*), sum(CASE WHEN o.is_flag THEN 1 ELSE 0 END), sum(o.value), \
             sum(o.value * o.value) FROM prompt_generations g JOIN prompt_outcomes o ON o.generation_id = g.id \
             WHERE {these} GROUP BY g.version, o.metric ORDER BY o.metric {}",
            self.engine.pick("", "COLLATE \"C\"")
        );
        for row in read(said).await? {
            let Some(tally) = tallies.get_mut(&at(&row, 0)?) else { continue };
            tally.metrics.push(MetricTally {
                metric: at(&row, 1)?,
                count: count(&row, 2)?,
                flags: count(&row, 3)?,
                sum: at(&row, 4)?,
                squares: at(&row, 5)?,
            });
        }
        Ok(tallies.into_values().collect())
    }
}

#[async_trait]
impl GenerationStore for Database {
    async fn give_up(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        let any = "SELECT 1 FROM prompt_generations WHERE state = 'running' AND started_at < $1 LIMIT 1";
        if one(&self.reader, statement(self.engine, any, [before.into()])).await?.is_none() {
            return Ok(0);
        }
        let sql = "UPDATE prompt_generations SET state = 'failed', reason = 'lost', ended_at = $2 \
                   WHERE state = 'running' AND started_at < $1";
        execute(&self.writer, statement(self.engine, sql, [before.into(), now.into()])).await
    }

    async fn purge_generations(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let sql = "DELETE FROM prompt_generations WHERE id IN \
                   (SELECT id FROM prompt_generations WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)";
        execute(&self.writer, statement(self.engine, sql, [before.into(), i64::from(limit).into()])).await
    }
}

async fn outcomes(on: &impl ConnectionTrait, engine: Engine, id: GenerationId) -> Result<Vec<Outcome>> {
    let sql = format!(
        "SELECT metric, is_flag, value, said_at FROM prompt_outcomes WHERE generation_id = $1 ORDER BY metric {}",
        engine.pick("", "COLLATE \"C\"")
    );
    let rows = all(on, statement(engine, sql, [id.0.into()])).await?;
    let read = |row: &QueryResult| -> Result<Outcome> {
        let value: f64 = at(row, 2)?;
        let value = if at(row, 1)? { OutcomeValue::Flag(value > 0.5) } else { OutcomeValue::Number(value) };
        Ok(Outcome { metric: at(row, 0)?, value, at: at(row, 3)? })
    };
    rows.iter().map(read).collect()
}

fn generation(row: &QueryResult) -> Result<Generation> {
    let state: String = at(row, 5)?;
    let took: Option<i64> = at(row, 7)?;
    Ok(Generation {
        id: GenerationId(at(row, 0)?),
        prompt: PromptId(at(row, 1)?),
        version: VersionNumber(at(row, 2)?),
        user: UserId(at(row, 3)?),
        model: at(row, 4)?,
        state: GenerationState::named(&state)
            .ok_or_else(|| Error::internal(format!("a generation is in the state {state:?}")))?,
        reason: at(row, 6)?,
        took: took.map(|took| Duration::from_millis(u64::try_from(took).unwrap_or_default())),
        started_at: at(row, 8)?,
        ended_at: at(row, 9)?,
    })
}
