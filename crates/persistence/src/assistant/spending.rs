//! What was spent on models, from the rows of the ledger.
//!
//! Sums are taken of the millions and of the rest apart: one row with the largest number there is would break the sum of all.

use std::{fmt::Write as _, sync::Arc};

use async_trait::async_trait;
use domain::{
    Error, Result,
    assistant::{
        CallState, Usage,
        spending::{GroupKey, Spending, SpendingBy, SpendingFilter, SpentCall, SpentWindow, ports::SpendingQueries},
    },
    clock::Timestamp,
    id::{ApiKeyId, AssistantCallId, SellerId, UserId},
};
use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use super::{WINDOW, window};
use crate::{
    database::Database,
    engine::Engine,
    statement::{all, at, count, statement},
};

/// Where numbers are cut in two.
const CUT: u64 = 1_000_000_000;
/// The numbers that are summed up.
const SUMMED: [&str; 7] = [
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "cost",
    "saved_prompt",
    "saved_completion",
];
/// These numbers: what was given from what was kept used nothing, and saved what that had used.
const USED: &str = "CASE WHEN state = 'cached' THEN 0 ELSE prompt_tokens END AS prompt_tokens, \
    CASE WHEN state = 'cached' THEN 0 ELSE completion_tokens END AS completion_tokens, \
    CASE WHEN state = 'cached' THEN 0 ELSE cached_tokens END AS cached_tokens, \
    CASE WHEN state = 'cached' THEN 0 ELSE reasoning_tokens END AS reasoning_tokens, cost, \
    CASE WHEN state = 'cached' THEN prompt_tokens ELSE 0 END AS saved_prompt, \
    CASE WHEN state = 'cached' THEN completion_tokens ELSE 0 END AS saved_completion";
/// The states that are counted, and those without a price.
const COUNTED: [&str; 7] = [
    "state = 'reserved'",
    "state = 'settled'",
    "state = 'estimated'",
    "state = 'overrun'",
    "state = 'failed'",
    "state = 'cached'",
    "cost IS NULL AND (prompt_tokens > 0 OR completion_tokens > 0)",
];
const CALL: &str = "id, user_id, key_id, seller_id, request, kind, model, deployment, state, prompt_tokens, completion_tokens, \
    cached_tokens, reasoning_tokens, cost, fault, started_at, first_at, ended_at";

impl Database {
    /// What was spent, for people.
    pub fn spending(&self) -> Arc<dyn SpendingQueries> {
        Arc::new(self.clone())
    }
}

/// The text by which calls are told apart.
fn text(engine: Engine, by: SpendingBy) -> &'static str {
    match by {
        SpendingBy::Day => engine
            .pick("substr(started_at, 1, 10)", "to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') COLLATE \"C\""),
        SpendingBy::User => engine.pick("lower(hex(user_id))", "replace(user_id::text, '-', '') COLLATE \"C\""),
        SpendingBy::Key => engine
            .pick("coalesce(lower(hex(key_id)), '')", "coalesce(replace(key_id::text, '-', ''), '') COLLATE \"C\""),
        SpendingBy::Seller => engine.pick(
            "coalesce(lower(hex(seller_id)), '')",
            "coalesce(replace(seller_id::text, '-', ''), '') COLLATE \"C\"",
        ),
        SpendingBy::Model => engine.pick("model", "model COLLATE \"C\""),
        SpendingBy::Deployment => engine.pick("deployment", "deployment COLLATE \"C\""),
    }
}

/// The calls meant, as a condition with its values.
fn meant(filter: &SpendingFilter) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = vec![filter.from.into(), filter.until.into()];
    let mut these = "started_at >= $1 AND started_at < $2".to_owned();
    let mut and = |column: &str, value: Option<Value>| {
        if let Some(value) = value {
            values.push(value);
            // Writing to a String cannot fail.
            let _ = write!(these, " AND {column} = ${}", values.len());
        }
    };
    and("user_id", filter.user.map(|user| user.0.into()));
    and("key_id", filter.key.map(|key| key.0.into()));
    and("seller_id", filter.seller.map(|seller| seller.0.into()));
    and("model", filter.model.as_deref().map(Value::from));
    and("deployment", filter.deployment.as_deref().map(Value::from));
    and("state", filter.state.map(|state| state.name().into()));
    (these, values)
}

#[async_trait]
impl SpendingQueries for Database {
    async fn spending(
        &self,
        filter: &SpendingFilter,
        by: &[SpendingBy],
        after: Option<&GroupKey>,
        limit: u32,
    ) -> Result<Vec<Spending>> {
        let (these, mut values) = meant(filter);
        let columns: Vec<String> =
            by.iter().enumerate().map(|(n, by)| format!("{} AS g{n}, ", text(self.engine, *by))).collect();
        let names: Vec<String> = (0..by.len()).map(|n| format!("g{n}")).collect();
        let mut sums = String::new();
        for one in COUNTED {
            let _ = write!(sums, ", sum(CASE WHEN {one} THEN 1 ELSE 0 END)");
        }
        for one in SUMMED {
            let _ = write!(
                sums,
                ", CAST(coalesce(sum({one} / {CUT}), 0) AS bigint), CAST(coalesce(sum({one} % {CUT}), 0) AS bigint)"
            );
        }
        let mut sql = format!(
            "SELECT {0}count(*){sums} FROM (SELECT {1}state, {USED} FROM assistant_calls WHERE {these}) AS spent",
            names.iter().flat_map(|name| [name.as_str(), ", "]).collect::<String>(),
            columns.concat(),
        );
        if let Some(after) = after.filter(|after| after.len() == by.len() && !by.is_empty()) {
            let places: Vec<String> = after
                .iter()
                .map(|text| {
                    values.push(text.as_str().into());
                    format!("${}", values.len())
                })
                .collect();
            let _ = write!(sql, " WHERE ({}) > ({})", names.join(", "), places.join(", "));
        }
        if !names.is_empty() {
            let names = names.join(", ");
            let _ = write!(sql, " GROUP BY {names} ORDER BY {names}");
        }
        values.push(i64::from(limit).into());
        let _ = write!(sql, " LIMIT ${}", values.len());
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        let found = rows.iter().map(|row| spending(row, by.len())).collect::<Result<Vec<_>>>()?;
        // Without groups there is a row for nothing too; what comes after all of it is nothing.
        let is_over = by.is_empty() && after.is_some();
        Ok(found.into_iter().filter(|one| one.calls > 0 && !is_over).collect())
    }

    async fn calls(
        &self,
        filter: &SpendingFilter,
        after: Option<(Timestamp, AssistantCallId)>,
        limit: u32,
    ) -> Result<Vec<SpentCall>> {
        let (these, mut values) = meant(filter);
        let mut sql = format!("SELECT {CALL} FROM assistant_calls WHERE {these}");
        if let Some((moment, id)) = after {
            values.extend([moment.into(), id.0.into()]);
            let _ = write!(sql, " AND (started_at, id) < (${}, ${})", values.len() - 1, values.len());
        }
        values.push(i64::from(limit).into());
        let _ = write!(sql, " ORDER BY started_at DESC, id DESC LIMIT ${}", values.len());
        all(&self.reader, statement(self.engine, sql, values)).await?.iter().map(call).collect()
    }

    async fn windows(&self, budget: &str, starts_at: Timestamp, limit: u32) -> Result<Vec<SpentWindow>> {
        let sql = format!(
            "SELECT {WINDOW} FROM assistant_windows w WHERE w.budget = $1 AND w.starts_at = $2 \
             ORDER BY w.cost DESC, w.subject {} LIMIT $3",
            self.engine.pick("", "COLLATE \"C\"")
        );
        let values = [budget.into(), starts_at.into(), i64::from(limit).into()];
        all(&self.reader, statement(self.engine, sql, values)).await?.iter().map(window).collect()
    }
}

fn spending(row: &QueryResult, groups: usize) -> Result<Spending> {
    let group = (0..groups).map(|index| at(row, index)).collect::<Result<GroupKey>>()?;
    let number = |index: usize| count(row, groups + index);
    let counted = |index: usize| -> Result<u64> {
        Ok(at::<Option<i64>>(row, groups + 1 + index)?.map_or(0, |n| u64::try_from(n).unwrap_or_default()))
    };
    let summed = |index: usize| -> Result<u64> {
        let first = 1 + COUNTED.len() + 2 * index;
        let (high, low) = (number(first)?, number(first + 1)?);
        Ok(high.saturating_mul(CUT).saturating_add(low))
    };
    Ok(Spending {
        group,
        calls: number(0)?,
        open: counted(0)?,
        settled: counted(1)?,
        estimated: counted(2)?,
        overrun: counted(3)?,
        failed: counted(4)?,
        cached: counted(5)?,
        unpriced: counted(6)?,
        usage: Usage { prompt: summed(0)?, completion: summed(1)?, cached: summed(2)?, reasoning: summed(3)? },
        cost: summed(4)?,
        saved: summed(5)?.saturating_add(summed(6)?),
    })
}

fn call(row: &QueryResult) -> Result<SpentCall> {
    let state: String = at(row, 8)?;
    Ok(SpentCall {
        id: AssistantCallId(at(row, 0)?),
        user: UserId(at(row, 1)?),
        key: at::<Option<Uuid>>(row, 2)?.map(ApiKeyId),
        seller: at::<Option<Uuid>>(row, 3)?.map(SellerId),
        request: at(row, 4)?,
        kind: at(row, 5)?,
        model: at(row, 6)?,
        deployment: at(row, 7)?,
        state: CallState::named(&state).ok_or_else(|| Error::internal(format!("a call is {state:?}")))?,
        usage: Usage {
            prompt: count(row, 9)?,
            completion: count(row, 10)?,
            cached: count(row, 11)?,
            reasoning: count(row, 12)?,
        },
        cost: at::<Option<i64>>(row, 13)?.map(|cost| u64::try_from(cost).unwrap_or_default()),
        fault: at(row, 14)?,
        started_at: at(row, 15)?,
        first_at: at(row, 16)?,
        ended_at: at(row, 17)?,
    })
}
