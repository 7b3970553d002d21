//! What was spent on models, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStore, StoredCall};
use crate::{
    assistant::{
        CallState, Usage,
        spending::{
            GroupKey, Spending, SpendingBy, SpendingFilter, SpentCall, SpentWindow, day_text, ports::SpendingQueries,
        },
    },
    clock::Timestamp,
    error::Result,
    id::AssistantCallId,
};

fn usage(row: &StoredCall) -> Usage {
    match (&row.settled, row.state) {
        (Some(settled), _) => settled.usage,
        (None, CallState::Estimated) => {
            Usage { prompt: row.call.prompt, completion: row.call.completion, ..Usage::default() }
        }
        (None, _) => Usage::default(),
    }
}

fn cost(row: &StoredCall) -> Option<u64> {
    match (&row.settled, row.state) {
        (Some(settled), _) => settled.cost,
        (None, CallState::Estimated) => row.call.cost,
        (None, _) => None,
    }
}

fn counts(row: &StoredCall, filter: &SpendingFilter) -> bool {
    let call = &row.call;
    (filter.from..filter.until).contains(&call.started_at)
        && filter.user.is_none_or(|user| call.user == user)
        && filter.key.is_none_or(|key| call.key == Some(key))
        && filter.seller.is_none_or(|seller| call.seller == Some(seller))
        && filter.model.as_ref().is_none_or(|model| call.model == *model)
        && filter.deployment.as_ref().is_none_or(|deployment| call.deployment == *deployment)
        && filter.state.is_none_or(|state| row.state == state)
}

fn text(row: &StoredCall, by: SpendingBy) -> String {
    let call = &row.call;
    match by {
        SpendingBy::Day => day_text(call.started_at.date_naive()),
        SpendingBy::User => call.user.0.simple().to_string(),
        SpendingBy::Key => call.key.map(|key| key.0.simple().to_string()).unwrap_or_default(),
        SpendingBy::Seller => call.seller.map(|seller| seller.0.simple().to_string()).unwrap_or_default(),
        SpendingBy::Model => call.model.clone(),
        SpendingBy::Deployment => call.deployment.clone(),
    }
}

fn add(sum: &mut Spending, row: &StoredCall) {
    sum.calls += 1;
    let state = match row.state {
        CallState::Reserved => &mut sum.open,
        CallState::Settled => &mut sum.settled,
        CallState::Estimated => &mut sum.estimated,
        CallState::Overrun => &mut sum.overrun,
        CallState::Failed => &mut sum.failed,
        CallState::Cached => &mut sum.cached,
    };
    *state += 1;
    let (mut used, cost) = (usage(row), cost(row));
    if row.state == CallState::Cached {
        sum.saved = sum.saved.saturating_add(used.total());
        used = Usage::default();
    }
    sum.usage.prompt = sum.usage.prompt.saturating_add(used.prompt);
    sum.usage.completion = sum.usage.completion.saturating_add(used.completion);
    sum.usage.cached = sum.usage.cached.saturating_add(used.cached);
    sum.usage.reasoning = sum.usage.reasoning.saturating_add(used.reasoning);
    sum.cost = sum.cost.saturating_add(cost.unwrap_or_default());
    sum.unpriced += u64::from(cost.is_none() && used.total() > 0);
}

fn shown(row: &StoredCall) -> SpentCall {
    let call = &row.call;
    let lost = row.settled.is_none() && row.state == CallState::Estimated;
    let fault = row.settled.as_ref().and_then(|settled| settled.fault).or(lost.then_some("lost"));
    SpentCall {
        id: call.id,
        user: call.user,
        key: call.key,
        seller: call.seller,
        request: call.request.clone(),
        kind: call.kind.name().to_owned(),
        model: call.model.clone(),
        deployment: call.deployment.clone(),
        state: row.state,
        usage: usage(row),
        cost: cost(row),
        fault: fault.map(str::to_owned),
        started_at: call.started_at,
        first_at: row.settled.as_ref().and_then(|settled| settled.first_at),
        ended_at: row.ended_at,
    }
}

fn at_most(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[async_trait]
impl SpendingQueries for MemoryStore {
    async fn spending(
        &self,
        filter: &SpendingFilter,
        by: &[SpendingBy],
        after: Option<&GroupKey>,
        limit: u32,
    ) -> Result<Vec<Spending>> {
        let books = self.state().books.clone();
        let mut groups = BTreeMap::<GroupKey, Spending>::new();
        for row in books.calls.values().filter(|row| counts(row, filter)) {
            let group: GroupKey = by.iter().map(|by| text(row, *by)).collect();
            let empty = || Spending { group: group.clone(), ..Spending::default() };
            add(groups.entry(group.clone()).or_insert_with(empty), row);
        }
        let later = |group: &&Spending| after.is_none_or(|after| group.group > *after);
        Ok(groups.values().filter(later).take(at_most(limit)).cloned().collect())
    }

    async fn calls(
        &self,
        filter: &SpendingFilter,
        after: Option<(Timestamp, AssistantCallId)>,
        limit: u32,
    ) -> Result<Vec<SpentCall>> {
        let books = self.state().books.clone();
        let mut rows: Vec<_> = books.calls.into_values().filter(|row| counts(row, filter)).collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.call.started_at, row.call.id)));
        let older = |row: &&StoredCall| after.is_none_or(|after| (row.call.started_at, row.call.id) < after);
        Ok(rows.iter().filter(older).take(at_most(limit)).map(shown).collect())
    }

    async fn windows(&self, budget: &str, starts_at: Timestamp, limit: u32) -> Result<Vec<SpentWindow>> {
        let books = self.state().books.clone();
        let mut found: Vec<_> =
            books.windows.into_iter().filter(|(key, _)| key.budget == budget && key.starts_at == starts_at).collect();
        found.sort_by(|(a, one), (b, other)| other.cost.cmp(&one.cost).then_with(|| a.subject.cmp(&b.subject)));
        found.truncate(at_most(limit));
        Ok(found)
    }
}
