//! The ledger: a row for each call that was begun, from before it is made.

use std::time::Duration;

use super::{Hold, Refusal, Spent, Usage, WindowKey};
use crate::{
    clock::Timestamp,
    id::{ApiKeyId, AssistantCallId, GenerationId, SellerId, UserId},
};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// An answer.
    Chat,
    /// Vectors.
    Embedding,
}

impl CallKind {
    /// Its name in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embedding => "embedding",
        }
    }
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// It is being made, and the most it can use is held.
    Reserved,
    /// It ended, and the provider said what it used.
    Settled,
    /// It ended or was lost, and what it used is a guess of ours.
    Estimated,
    /// It used more than the most it was allowed.
    Overrun,
    /// It failed and used nothing.
    Failed,
    /// What was kept was given in its place, and what that used when it was made was not used again.
    Cached,
}

impl CallState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Reserved, Self::Settled, Self::Estimated, Self::Overrun, Self::Failed, Self::Cached];

    /// Its name in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Settled => "settled",
            Self::Estimated => "estimated",
            Self::Overrun => "overrun",
            Self::Failed => "failed",
            Self::Cached => "cached",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A call that is to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCall {
    /// Its id.
    pub id: AssistantCallId,
    /// Who makes it.
    pub user: UserId,
    /// With which API key.
    pub key: Option<ApiKeyId>,
    /// For which seller account.
    pub seller: Option<SellerId>,
    /// The id of the request it is made for.
    pub request: String,
    /// The answer to a prompt that it is made for.
    pub generation: Option<GenerationId>,
    /// What is asked for.
    pub kind: CallKind,
    /// The model as the caller knows it.
    pub model: String,
    /// Who is asked: provider and model there.
    pub deployment: String,
    /// The most tokens of the question.
    pub prompt: u64,
    /// The most tokens of the answer.
    pub completion: u64,
    /// The most it can cost, in billionths of the currency; `None` when it has no price.
    pub cost: Option<u64>,
    /// The windows it must fit in.
    pub holds: Vec<Hold>,
    /// When it begins.
    pub started_at: Timestamp,
}

impl NewCall {
    /// The most it can use.
    pub fn most(&self) -> Spent {
        let tokens = self.prompt.saturating_add(self.completion);
        Spent { cost: self.cost.unwrap_or_default(), tokens, calls: 1 }
    }
}

/// Whether a call may begin.
pub type Verdict = Result<(), Refusal>;

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The call.
    pub id: AssistantCallId,
    /// The windows that hold it.
    pub windows: Vec<WindowKey>,
    /// What they hold for it.
    pub held: Spent,
    /// What became of it; never [`CallState::Reserved`].
    pub state: CallState,
    /// What it used; of [`CallState::Cached`] what was saved.
    pub usage: Usage,
    /// What it cost; `None` when it has no price.
    pub cost: Option<u64>,
    /// Why it failed, by [`super::FaultClass::name`].
    pub fault: Option<&'static str>,
    /// When the first piece of the answer was there.
    pub first_at: Option<Timestamp>,
    /// After how long that was.
    pub first_after: Option<Duration>,
    /// When it ended.
    pub ended_at: Timestamp,
}

impl Settlement {
    /// What it used.
    pub fn spent(&self) -> Spent {
        if self.state == CallState::Cached {
            return Spent::default();
        }
        Spent { cost: self.cost.unwrap_or_default(), tokens: self.usage.total(), calls: 1 }
    }
}

/// What is written to the ledger at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Calls that are to begin.
    pub calls: Vec<NewCall>,
    /// Calls that ended.
    pub settled: Vec<Settlement>,
}
