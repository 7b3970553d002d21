//! What was spent on models, by whom, as the ledger has it.

pub mod ports;

use chrono::NaiveDate;

use super::{CallState, Spent, Usage, WindowKey};
use crate::{
    clock::Timestamp,
    id::{ApiKeyId, AssistantCallId, SellerId, UserId},
};

/// By what spending is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpendingBy {
    /// The day, in UTC.
    Day,
    /// Who called.
    User,
    /// With which API key.
    Key,
    /// For which seller account.
    Seller,
    /// The model, as callers know it.
    Model,
    /// Who answered.
    Deployment,
}

impl SpendingBy {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Day, Self::User, Self::Key, Self::Seller, Self::Model, Self::Deployment];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::User => "user",
            Self::Key => "key",
            Self::Seller => "seller",
            Self::Model => "model",
            Self::Deployment => "deployment",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Which calls count: every part given must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendingFilter {
    /// Those that began at this moment or later.
    pub from: Timestamp,
    /// Those that began before this moment.
    pub until: Timestamp,
    /// Of this person.
    pub user: Option<UserId>,
    /// With this API key.
    pub key: Option<ApiKeyId>,
    /// For this seller account.
    pub seller: Option<SellerId>,
    /// Of this model.
    pub model: Option<String>,
    /// Answered by this deployment.
    pub deployment: Option<String>,
    /// That ended so.
    pub state: Option<CallState>,
}

impl SpendingFilter {
    /// All calls of a stretch of time.
    pub fn within(from: Timestamp, until: Timestamp) -> Self {
        Self { from, until, user: None, key: None, seller: None, model: None, deployment: None, state: None }
    }
}

/// What calls have in common: one text for each [`SpendingBy`] that was asked for, in that order. Empty is "none", ids have 32
/// hexadecimal digits, days stand as `2026-11-27`. Groups are sorted by these texts, byte by byte.
pub type GroupKey = Vec<String>;

/// What some calls used together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spending {
    /// What they have in common.
    pub group: GroupKey,
    /// How many calls.
    pub calls: u64,
    /// Of these, those that go on.
    pub open: u64,
    /// Those whose figures are the provider's.
    pub settled: u64,
    /// Those whose figures are a guess.
    pub estimated: u64,
    /// Those that used more than they were allowed.
    pub overrun: u64,
    /// Those that failed and used nothing.
    pub failed: u64,
    /// Those that were given what was kept.
    pub cached: u64,
    /// Those that used something without a price.
    pub unpriced: u64,
    /// Tokens.
    pub usage: Usage,
    /// Tokens that were not used again, since what was kept was given.
    pub saved: u64,
    /// What they cost, in billionths of the currency.
    pub cost: u64,
}

/// A call, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpentCall {
    /// Its id.
    pub id: AssistantCallId,
    /// Who made it.
    pub user: UserId,
    /// With which API key.
    pub key: Option<ApiKeyId>,
    /// For which seller account.
    pub seller: Option<SellerId>,
    /// The id of the request it was made for.
    pub request: String,
    /// What was asked for: `chat` or `embedding`.
    pub kind: String,
    /// The model, as its caller knows it.
    pub model: String,
    /// Who answered.
    pub deployment: String,
    /// What became of it.
    pub state: CallState,
    /// What it used; nothing while it goes on. Of [`CallState::Cached`] what was saved.
    pub usage: Usage,
    /// What it cost, in billionths of the currency; `None` while it goes on, and without a price.
    pub cost: Option<u64>,
    /// Why it failed.
    pub fault: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When the first piece of its answer was there.
    pub first_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// What was spent in a window.
pub type SpentWindow = (WindowKey, Spent);

/// The texts that stand for calls of one day.
pub fn day_text(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}
