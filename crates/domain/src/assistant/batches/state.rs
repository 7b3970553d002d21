//! A batch, and how far it is.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::Owner;
use crate::{
    assistant::Usage,
    clock::Timestamp,
    id::{AssistantBatchId, AssistantFileId, SellerId},
};

/// How long a batch may take.
pub const WINDOW: Duration = Duration::from_hours(24);

/// Which door its lines go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// Answers.
    Chat,
    /// Vectors.
    Embeddings,
}

impl Endpoint {
    /// Its address, by which lines and the database know it.
    pub fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Embeddings => "/v1/embeddings",
        }
    }

    /// The one of that address.
    pub fn at(path: &str) -> Option<Self> {
        [Self::Chat, Self::Embeddings].into_iter().find(|one| one.path() == path)
    }
}

/// How far a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchState {
    /// Its lines are looked at; none is asked.
    Validating,
    /// Its lines had faults, or whoever made it may not ask any more.
    Failed,
    /// Its lines are asked.
    InProgress,
    /// Its files are written.
    Finalizing,
    /// Every line has its outcome.
    Completed,
    /// Its time was over before every line was asked.
    Expired,
    /// No more lines are asked, since somebody wanted it to end.
    Cancelling,
    /// Somebody wanted it to end.
    Cancelled,
}

impl BatchState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Validating,
        Self::Failed,
        Self::InProgress,
        Self::Finalizing,
        Self::Completed,
        Self::Expired,
        Self::Cancelling,
        Self::Cancelled,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Validating => "validating",
            Self::Failed => "failed",
            Self::InProgress => "in_progress",
            Self::Finalizing => "finalizing",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing more becomes of it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Failed | Self::Completed | Self::Expired | Self::Cancelled)
    }
}

/// What is wrong with a line, or with a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineFault {
    /// A word for it.
    pub code: String,
    /// What is wrong and what helps. It repeats nothing of what is asked but names of fields and models.
    pub message: String,
    /// In which line, from 1.
    pub line: Option<u64>,
    /// In which field.
    pub param: Option<String>,
}

impl LineFault {
    /// One of a batch as a whole.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), line: None, param: None }
    }

    /// The same, of a field.
    #[must_use]
    pub fn of(self, param: &str) -> Self {
        Self { param: Some(param.to_owned()), ..self }
    }
}

/// How many lines there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub total: u64,
    /// Those that were answered.
    pub completed: u64,
    /// Those that were refused, and those whose time was over.
    pub failed: u64,
}

/// When what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// It was made.
    pub created_at: Timestamp,
    /// It is to be over.
    pub expires_at: Timestamp,
    /// Its lines were found good.
    pub began_at: Option<Timestamp>,
    /// Somebody wanted it to end.
    pub cancelling_at: Option<Timestamp>,
    /// No more lines were to be asked.
    pub finalizing_at: Option<Timestamp>,
    /// It was over.
    pub ended_at: Option<Timestamp>,
}

/// Questions that are asked in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: AssistantBatchId,
    /// Whose it is.
    pub owner: Owner,
    /// The seller account they acted for.
    pub seller: Option<SellerId>,
    /// The file with its lines.
    pub input: AssistantFileId,
    /// The file with its answers.
    pub output: Option<AssistantFileId>,
    /// The file with its refusals.
    pub refusals: Option<AssistantFileId>,
    /// The door its lines go through.
    pub endpoint: Endpoint,
    /// How far it is.
    pub state: BatchState,
    /// What it is to be once its files are written.
    pub ending: Option<BatchState>,
    /// What is wrong with it.
    pub faults: Vec<LineFault>,
    /// What whoever made it noted.
    pub metadata: BTreeMap<String, String>,
    /// Which job of its chain carries it: another one has nothing to do.
    pub round: u64,
    /// Which attempt of that job: whoever began before says nothing any more.
    pub fence: u64,
    /// Its lines.
    pub counts: Counts,
    /// What they used.
    pub usage: Usage,
    /// When what happened.
    pub times: Times,
}

impl Batch {
    /// No more lines are asked; its files are to be written.
    pub(super) fn closing(&mut self, ending: BatchState, now: Timestamp) {
        self.state = BatchState::Finalizing;
        self.ending = Some(ending);
        self.times.finalizing_at = Some(now);
    }

    /// It is over.
    pub(super) fn over(&mut self, state: BatchState, now: Timestamp) {
        (self.state, self.ending) = (state, None);
        self.times.ended_at = Some(now);
    }
}
