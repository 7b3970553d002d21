//! What was spent, as JSON.

use chrono::{DateTime, Utc};
use domain::assistant::{
    Usage,
    spending::{Spending, SpendingBy, SpentCall},
    write_amount,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Tokens by kind.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
#[schema(as = AssistantTokens)]
#[serde(rename_all = "camelCase")]
pub struct TokensView {
    /// Of what was asked, cached ones included.
    #[schema(example = 120, minimum = 0)]
    pub prompt: u64,
    /// Of what was answered, thoughts included.
    #[schema(example = 48, minimum = 0)]
    pub completion: u64,
    /// Of those that were asked, what the provider had read before.
    #[schema(example = 0, minimum = 0)]
    pub cached: u64,
    /// Of those that were answered, what were thoughts.
    #[schema(example = 0, minimum = 0)]
    pub reasoning: u64,
}

impl From<Usage> for TokensView {
    fn from(usage: Usage) -> Self {
        let Usage { prompt, completion, cached, reasoning } = usage;
        Self { prompt, completion, cached, reasoning }
    }
}

/// How calls ended.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
#[schema(as = AssistantCallCounts)]
#[serde(rename_all = "camelCase")]
pub struct CountsView {
    /// All of them.
    #[schema(example = 3, minimum = 0)]
    pub total: u64,
    /// Those that go on.
    #[schema(example = 0, minimum = 0)]
    pub reserved: u64,
    /// Those whose figures are the provider's.
    #[schema(example = 2, minimum = 0)]
    pub settled: u64,
    /// Those whose figures are a guess.
    #[schema(example = 1, minimum = 0)]
    pub estimated: u64,
    /// Those that used more than they were allowed.
    #[schema(example = 0, minimum = 0)]
    pub overrun: u64,
    /// Those that failed and used nothing.
    #[schema(example = 0, minimum = 0)]
    pub failed: u64,
    /// Those that were answered by what was kept, at no cost.
    #[schema(example = 0, minimum = 0)]
    pub cached: u64,
    /// Those that used something without a price.
    #[schema(example = 0, minimum = 0)]
    pub unpriced: u64,
}

/// What some calls used together. Of what they have in common it says what was asked for.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = AssistantSpending)]
#[serde(rename_all = "camelCase")]
pub struct SpendingView {
    /// The day, in UTC; null unless it was asked for.
    #[schema(example = "2026-11-27")]
    pub day: Option<String>,
    /// Who called; null unless it was asked for.
    pub user_id: Option<Uuid>,
    /// With which API key; null for none, and unless it was asked for.
    pub key_id: Option<Uuid>,
    /// For which seller account; null for none, and unless it was asked for.
    pub seller_id: Option<Uuid>,
    /// The model, as callers know it; null unless it was asked for.
    #[schema(example = "small")]
    pub model: Option<String>,
    /// Who answered; null unless it was asked for.
    #[schema(example = "openai/gpt-4o-mini")]
    pub deployment: Option<String>,
    /// How the calls ended.
    pub calls: CountsView,
    /// Their tokens.
    pub tokens: TokensView,
    /// Tokens that were not used again, since an answer was kept.
    #[schema(example = 0, minimum = 0)]
    pub saved_tokens: u64,
    /// What they cost, a decimal number.
    #[schema(example = "0.00123", pattern = r"^[0-9]+(\.[0-9]{1,9})?$")]
    pub cost: String,
}

impl SpendingView {
    pub(super) fn of(one: &Spending, by: &[SpendingBy]) -> Self {
        let mut view = Self {
            calls: CountsView {
                total: one.calls,
                reserved: one.open,
                settled: one.settled,
                estimated: one.estimated,
                overrun: one.overrun,
                failed: one.failed,
                cached: one.cached,
                unpriced: one.unpriced,
            },
            tokens: one.usage.into(),
            saved_tokens: one.saved,
            cost: write_amount(one.cost, 9),
            ..Self::default()
        };
        for (by, text) in by.iter().zip(&one.group) {
            let id = || Uuid::parse_str(text).ok();
            match by {
                SpendingBy::Day => view.day = Some(text.clone()),
                SpendingBy::User => view.user_id = id(),
                SpendingBy::Key => view.key_id = id(),
                SpendingBy::Seller => view.seller_id = id(),
                SpendingBy::Model => view.model = Some(text.clone()),
                SpendingBy::Deployment => view.deployment = Some(text.clone()),
            }
        }
        view
    }
}

/// What was spent, by groups.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantUsage)]
#[serde(rename_all = "camelCase")]
pub struct UsageView {
    /// The groups, in the order of what they have in common.
    pub items: Vec<SpendingView>,
    /// Where the next page begins; null at the end.
    pub next_cursor: Option<String>,
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when, exclusively.
    pub to: DateTime<Utc>,
    /// The currency of costs.
    #[schema(example = "USD")]
    pub currency: &'static str,
}

/// A call of a model.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantCall)]
#[serde(rename_all = "camelCase")]
pub struct CallView {
    /// Its id.
    pub id: Uuid,
    /// Who made it.
    pub user_id: Uuid,
    /// With which API key.
    pub key_id: Option<Uuid>,
    /// For which seller account.
    pub seller_id: Option<Uuid>,
    /// The id of the request it was made for.
    #[schema(example = "0198f5fe7c007a0080000123456789ab")]
    pub request_id: String,
    /// What was asked for: `chat` or `embedding`.
    #[schema(example = "chat")]
    pub kind: String,
    /// The model, as its caller knows it.
    #[schema(example = "small")]
    pub model: String,
    /// Who answered.
    #[schema(example = "openai/gpt-4o-mini")]
    pub deployment: String,
    /// What became of it.
    #[schema(value_type = super::CallStateName)]
    pub state: &'static str,
    /// What it used; of one that is `cached` what was not used again.
    pub tokens: TokensView,
    /// What it cost, a decimal number; null while it goes on, and without a price.
    #[schema(example = "0.00041", pattern = r"^[0-9]+(\.[0-9]{1,9})?$")]
    pub cost: Option<String>,
    /// Why it failed.
    #[schema(example = "timeout")]
    pub fault: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When the first piece of its answer was there.
    pub first_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl From<&SpentCall> for CallView {
    fn from(call: &SpentCall) -> Self {
        Self {
            id: call.id.0,
            user_id: call.user.0,
            key_id: call.key.map(|key| key.0),
            seller_id: call.seller.map(|seller| seller.0),
            request_id: call.request.clone(),
            kind: call.kind.clone(),
            model: call.model.clone(),
            deployment: call.deployment.clone(),
            state: call.state.name(),
            tokens: call.usage.into(),
            cost: call.cost.map(|cost| write_amount(cost, 9)),
            fault: call.fault.clone(),
            started_at: call.started_at,
            first_at: call.first_at,
            ended_at: call.ended_at,
        }
    }
}

/// Calls of models.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantCalls)]
#[serde(rename_all = "camelCase")]
pub struct CallsView {
    /// The calls, the newest first.
    pub items: Vec<CallView>,
    /// Where the next page begins; null at the end.
    pub next_cursor: Option<String>,
    /// The currency of costs.
    #[schema(example = "USD")]
    pub currency: &'static str,
}
