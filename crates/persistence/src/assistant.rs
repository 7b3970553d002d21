//! The assistant's ledger: calls and windows, a batch at a time.
//!
//! All windows of a batch are locked in one order before anything else is, so that nodes wait for each other and never in a circle.

mod batches;
mod generations;
mod prompts;
mod spending;
mod terms;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use async_trait::async_trait;
use domain::{
    Result,
    assistant::{Batch, CallState, NewCall, Settlement, Spent, Verdict, WindowKey, decide, ports::LedgerStore},
    clock::Timestamp,
    id::AssistantCallId,
};
use sea_orm::{ConnectionTrait, QueryResult};
use serde::Serialize;

use crate::{
    bulk::{self, Kind, Table},
    database::Database,
    engine::Engine,
    error,
    statement::{all, at, count, execute, one, statement},
    transaction::Purpose,
};

const CALLS: Table = Table {
    name: "assistant_calls",
    columns: &[
        ("id", Kind::Id),
        ("user_id", Kind::Id),
        ("key_id", Kind::Id),
        ("seller_id", Kind::Id),
        ("request", Kind::Text),
        ("generation_id", Kind::Id),
        ("kind", Kind::Text),
        ("model", Kind::Text),
        ("deployment", Kind::Text),
        ("state", Kind::Text),
        ("reserved_prompt", Kind::Number),
        ("reserved_completion", Kind::Number),
        ("reserved_cost", Kind::Number),
        ("prompt_tokens", Kind::Number),
        ("completion_tokens", Kind::Number),
        ("cached_tokens", Kind::Number),
        ("reasoning_tokens", Kind::Number),
        ("cost", Kind::Number),
        ("fault", Kind::Text),
        ("started_at", Kind::Time),
        ("first_at", Kind::Time),
        ("ended_at", Kind::Time),
    ],
};

const WINDOWS: Table = Table {
    name: "assistant_windows",
    columns: &[
        ("budget", Kind::Text),
        ("subject", Kind::Text),
        ("starts_at", Kind::Time),
        ("cost", Kind::Number),
        ("tokens", Kind::Number),
        ("calls", Kind::Number),
    ],
};

const WINDOW: &str = "w.budget, w.subject, w.starts_at, w.cost, w.tokens, w.calls";

const WANTED_SQLITE: &str = "(SELECT value ->> 'budget' AS budget, value ->> 'subject' AS subject, value ->> 'starts_at' AS starts_at, \
    value ->> 'cost' AS cost, value ->> 'tokens' AS tokens, value ->> 'calls' AS calls FROM json_each($1)) AS wanted";
const WANTED_POSTGRES: &str = "jsonb_to_recordset($1::jsonb) AS wanted (budget text, subject text, starts_at timestamptz, \
    cost bigint, tokens bigint, calls bigint)";

const ENDED_SQLITE: &str = "(SELECT unhex(value ->> 'call') AS call, value ->> 'becomes' AS becomes, value ->> 'prompt' AS prompt, \
    value ->> 'completion' AS completion, value ->> 'cached' AS cached, value ->> 'reasoning' AS reasoning, value ->> 'paid' AS paid, \
    value ->> 'why' AS why, value ->> 'first' AS first, value ->> 'ended' AS ended FROM json_each($1)) AS done";
const ENDED_POSTGRES: &str = "jsonb_to_recordset($1::jsonb) AS done (call uuid, becomes text, prompt bigint, completion bigint, \
    cached bigint, reasoning bigint, paid bigint, why text, first timestamptz, ended timestamptz)";

#[derive(Serialize)]
struct CallRow<'a> {
    id: uuid::fmt::Simple,
    user_id: uuid::fmt::Simple,
    key_id: Option<uuid::fmt::Simple>,
    seller_id: Option<uuid::fmt::Simple>,
    request: &'a str,
    generation_id: Option<uuid::fmt::Simple>,
    kind: &'static str,
    model: &'a str,
    deployment: &'a str,
    state: &'static str,
    reserved_prompt: i64,
    reserved_completion: i64,
    reserved_cost: Option<i64>,
    prompt_tokens: i64,
    completion_tokens: i64,
    cached_tokens: i64,
    reasoning_tokens: i64,
    cost: Option<i64>,
    fault: Option<&'static str>,
    #[serde(serialize_with = "bulk::time")]
    started_at: Timestamp,
    first_at: Option<Moment>,
    ended_at: Option<Moment>,
}

#[derive(Serialize)]
struct WindowRow<'a> {
    budget: &'a str,
    subject: &'a str,
    #[serde(serialize_with = "bulk::time")]
    starts_at: Timestamp,
    cost: i64,
    tokens: i64,
    calls: i64,
}

#[derive(Serialize)]
struct EndedRow {
    call: uuid::fmt::Simple,
    becomes: &'static str,
    prompt: i64,
    completion: i64,
    cached: i64,
    reasoning: i64,
    paid: Option<i64>,
    why: Option<&'static str>,
    first: Option<Moment>,
    #[serde(serialize_with = "bulk::time")]
    ended: Timestamp,
}

#[derive(Serialize)]
struct Moment(#[serde(serialize_with = "bulk::time")] Timestamp);

/// What no honest number reaches is as good as the largest.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl<'a> CallRow<'a> {
    /// One that ended by now is written down as it ended.
    fn of(call: &'a NewCall, ended: Option<&Settlement>) -> Self {
        let usage = ended.map(|ended| ended.usage).unwrap_or_default();
        Self {
            id: bulk::hex(call.id),
            user_id: bulk::hex(call.user),
            key_id: call.key.map(bulk::hex),
            seller_id: call.seller.map(bulk::hex),
            request: &call.request,
            generation_id: call.generation.map(bulk::hex),
            kind: call.kind.name(),
            model: &call.model,
            deployment: &call.deployment,
            state: ended.map_or(CallState::Reserved, |ended| ended.state).name(),
            reserved_prompt: stored(call.prompt),
            reserved_completion: stored(call.completion),
            reserved_cost: call.cost.map(stored),
            prompt_tokens: stored(usage.prompt),
            completion_tokens: stored(usage.completion),
            cached_tokens: stored(usage.cached),
            reasoning_tokens: stored(usage.reasoning),
            cost: ended.and_then(|ended| ended.cost).map(stored),
            fault: ended.and_then(|ended| ended.fault),
            started_at: call.started_at,
            first_at: ended.and_then(|ended| ended.first_at).map(Moment),
            ended_at: ended.map(|ended| Moment(ended.ended_at)),
        }
    }
}

impl<'a> WindowRow<'a> {
    fn of((window, spent): (&'a WindowKey, &Spent)) -> Self {
        Self {
            budget: &window.budget,
            subject: &window.subject,
            starts_at: window.starts_at,
            cost: stored(spent.cost),
            tokens: stored(spent.tokens),
            calls: stored(spent.calls),
        }
    }
}

impl EndedRow {
    fn of(settled: &Settlement) -> Self {
        Self {
            call: bulk::hex(settled.id),
            becomes: settled.state.name(),
            prompt: stored(settled.usage.prompt),
            completion: stored(settled.usage.completion),
            cached: stored(settled.usage.cached),
            reasoning: stored(settled.usage.reasoning),
            paid: settled.cost.map(stored),
            why: settled.fault,
            first: settled.first_at.map(Moment),
            ended: settled.ended_at,
        }
    }
}

fn window(row: &QueryResult) -> Result<(WindowKey, Spent)> {
    let key = WindowKey { budget: at(row, 0)?, subject: at(row, 1)?, starts_at: at(row, 2)? };
    Ok((key, Spent { cost: count(row, 3)?, tokens: count(row, 4)?, calls: count(row, 5)? }))
}

/// Locks these windows, in one order, and reads them. Those that calls begin in are made when there are none.
async fn locked(on: &impl ConnectionTrait, engine: Engine, batch: &Batch) -> Result<BTreeMap<WindowKey, Spent>> {
    let begun: BTreeSet<&WindowKey> =
        batch.calls.iter().flat_map(|call| &call.holds).map(|hold| &hold.window).collect();
    let mut wanted = begun.clone();
    wanted.extend(batch.settled.iter().flat_map(|settled| &settled.windows));
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    // Where others write at the same time they are made before any is locked, which keeps the order.
    if engine == Engine::Postgres {
        make(on, engine, &begun).await?;
    }
    let found = read(on, engine, &wanted).await?;
    if begun.iter().all(|window| found.contains_key(*window)) {
        return Ok(found);
    }
    make(on, engine, &begun).await?;
    read(on, engine, &wanted).await
}

/// Makes windows in which nothing was spent, where there are none.
async fn make(on: &impl ConnectionTrait, engine: Engine, windows: &BTreeSet<&WindowKey>) -> Result<()> {
    if windows.is_empty() {
        return Ok(());
    }
    let nothing = Spent::default();
    let rows: Vec<_> = windows.iter().map(|window| WindowRow::of((window, &nothing))).collect();
    WINDOWS.insert(on, engine, &rows, "ON CONFLICT DO NOTHING").await?;
    Ok(())
}

/// Reads windows, locked.
async fn read(
    on: &impl ConnectionTrait,
    engine: Engine,
    windows: &BTreeSet<&WindowKey>,
) -> Result<BTreeMap<WindowKey, Spent>> {
    let nothing = Spent::default();
    let rows: Vec<_> = windows.iter().map(|window| WindowRow::of((window, &nothing))).collect();
    let sql = format!(
        "SELECT {WINDOW} FROM {} JOIN assistant_windows w ON w.budget = wanted.budget AND w.subject = wanted.subject \
         AND w.starts_at = wanted.starts_at ORDER BY w.budget, w.subject, w.starts_at {}",
        engine.pick(WANTED_SQLITE, WANTED_POSTGRES),
        engine.pick("", "FOR UPDATE OF w")
    );
    let found = all(on, statement(engine, sql, [bulk::json(&rows)?])).await?;
    found.iter().map(window).collect()
}

/// Notes how calls ended, and gives those that had not before.
async fn ended(
    on: &impl ConnectionTrait,
    engine: Engine,
    settled: &[&Settlement],
) -> Result<BTreeSet<AssistantCallId>> {
    let sql = format!(
        "UPDATE assistant_calls SET state = done.becomes, prompt_tokens = done.prompt, completion_tokens = done.completion, \
         cached_tokens = done.cached, reasoning_tokens = done.reasoning, cost = done.paid, fault = done.why, first_at = done.first, \
         ended_at = done.ended FROM {} WHERE id = done.call AND state = 'reserved' RETURNING id",
        engine.pick(ENDED_SQLITE, ENDED_POSTGRES)
    );
    let mut own = BTreeSet::new();
    for settled in settled.chunks(bulk::ROWS) {
        let rows: Vec<_> = settled.iter().map(|one| EndedRow::of(one)).collect();
        for row in all(on, statement(engine, sql.as_str(), [bulk::json(&rows)?])).await? {
            own.insert(AssistantCallId(at(&row, 0)?));
        }
    }
    Ok(own)
}

/// Writes the windows that changed.
async fn spent(on: &impl ConnectionTrait, engine: Engine, windows: &[(&WindowKey, &Spent)]) -> Result<()> {
    let sql = format!(
        "UPDATE assistant_windows SET cost = wanted.cost, tokens = wanted.tokens, calls = wanted.calls FROM {} \
         WHERE assistant_windows.budget = wanted.budget AND assistant_windows.subject = wanted.subject \
         AND assistant_windows.starts_at = wanted.starts_at",
        engine.pick(WANTED_SQLITE, WANTED_POSTGRES)
    );
    for windows in windows.chunks(bulk::ROWS) {
        let rows: Vec<_> = windows.iter().map(|one| WindowRow::of(*one)).collect();
        execute(on, statement(engine, sql.as_str(), [bulk::json(&rows)?])).await?;
    }
    Ok(())
}

impl Database {
    /// The rows of the assistant's ledger.
    pub fn ledger(&self) -> Arc<dyn LedgerStore> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl LedgerStore for Database {
    async fn write(&self, batch: &Batch) -> Result<Vec<Verdict>> {
        let tx = self.writer.begin(Purpose::Write).await.map_err(error::of)?;
        let before = locked(&tx, self.engine, batch).await?;
        let mut windows = before.clone();
        let verdicts = decide(&mut windows, &batch.calls);
        let mut ends: HashMap<AssistantCallId, &Settlement> = batch.settled.iter().map(|one| (one.id, one)).collect();
        let begun = batch.calls.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_ok());
        let (mut rows, mut own) = (Vec::new(), BTreeSet::new());
        for (call, _) in begun {
            let ended = ends.remove(&call.id);
            own.extend(ended.map(|ended| ended.id));
            rows.push(CallRow::of(call, ended));
        }
        if !rows.is_empty() {
            CALLS.insert(&tx, self.engine, &rows, "").await?;
        }
        if !batch.settled.is_empty() {
            let rest: Vec<_> = ends.into_values().collect();
            own.extend(ended(&tx, self.engine, &rest).await?);
            for settled in batch.settled.iter().filter(|settled| own.contains(&settled.id)) {
                for window in &settled.windows {
                    if let Some(spent) = windows.get_mut(window) {
                        *spent = spent.plus(settled.spent()).minus(settled.held);
                    }
                }
            }
        }
        let changed: Vec<_> = windows.iter().filter(|(window, spent)| before.get(window) != Some(spent)).collect();
        spent(&tx, self.engine, &changed).await?;
        tx.commit().await.map_err(error::of)?;
        Ok(verdicts)
    }

    async fn sweep(&self, before: Timestamp, now: Timestamp) -> Result<u64> {
        let any = "SELECT 1 FROM assistant_calls WHERE state = 'reserved' AND started_at < $1 LIMIT 1";
        if one(&self.reader, statement(self.engine, any, [before.into()])).await?.is_none() {
            return Ok(0);
        }
        let sql = "UPDATE assistant_calls SET state = 'estimated', prompt_tokens = reserved_prompt, \
                   completion_tokens = reserved_completion, cost = reserved_cost, fault = 'lost', ended_at = $2 \
                   WHERE state = 'reserved' AND started_at < $1";
        execute(&self.writer, statement(self.engine, sql, [before.into(), now.into()])).await
    }

    async fn spent(&self, budget: &str, since: Timestamp) -> Result<Vec<(WindowKey, Spent)>> {
        let sql = format!(
            "SELECT {WINDOW} FROM assistant_windows w WHERE w.budget = $1 AND w.starts_at >= $2 \
             ORDER BY w.cost DESC, w.subject, w.starts_at"
        );
        let rows = all(&self.reader, statement(self.engine, sql, [budget.into(), since.into()])).await?;
        rows.iter().map(window).collect()
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let sql = "DELETE FROM assistant_calls WHERE id IN (SELECT id FROM assistant_calls WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)";
        let gone = execute(&self.writer, statement(self.engine, sql, [before.into(), i64::from(limit).into()])).await?;
        let sql = "DELETE FROM assistant_windows WHERE starts_at < $1";
        execute(&self.writer, statement(self.engine, sql, [before.into()])).await?;
        Ok(gone)
    }
}
