//! A webhook that came in, as it is kept.

use std::collections::BTreeMap;

use crate::{
    clock::Timestamp,
    id::{HookEventId, JobId, UserId},
    job::FailedAttempt,
};

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookState {
    /// For its job, or for the next attempt of it.
    Waiting,
    /// It did what it does.
    Done,
    /// Nothing here does anything about it.
    Ignored,
    /// Its job was given up, cancelled or purged without an end; it may be replayed.
    Failed,
}

impl HookState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Done, Self::Ignored, Self::Failed];

    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A webhook that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookEvent {
    /// Its id here.
    pub id: HookEventId,
    /// The name of who sent it.
    pub source: String,
    /// What it is known again by, unique within its source.
    pub key: String,
    /// Its id there.
    pub event: Option<String>,
    /// What kind of event it tells of.
    pub kind: Option<String>,
    /// When that happened, or was signed.
    pub occurred_at: Option<Timestamp>,
    /// When it was stored.
    pub received_at: Timestamp,
    /// The headers that say something; never one with a signature.
    pub headers: BTreeMap<String, String>,
    /// Bytes of the body.
    pub size: u64,
    /// The body as it came; `None` when it is not kept any more, and in lists.
    pub body: Option<Vec<u8>>,
    /// Where it stands.
    pub state: HookState,
    /// What it did, or why nothing: a word of ours.
    pub outcome: Option<String>,
    /// Whom it changed.
    pub user: Option<UserId>,
    /// The job that handles it, or did last.
    pub job: JobId,
    /// When it was handled.
    pub handled_at: Option<Timestamp>,
    /// How often somebody had it handled again.
    pub replays: u32,
}

/// An event with what its job tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookReport {
    /// The event.
    pub event: HookEvent,
    /// Attempts begun by its job.
    pub attempts: u32,
    /// Why attempts failed, oldest first.
    pub errors: Vec<FailedAttempt>,
}

/// What a handler did about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handled {
    /// Done or ignored.
    pub state: HookState,
    /// What it did, or why nothing: a word for operators, which says nothing of anybody.
    pub outcome: &'static str,
    /// Whom it changed.
    pub user: Option<UserId>,
    /// Nobody may keep what it says of them: its body goes.
    pub forget: bool,
}

impl Handled {
    /// It did this.
    pub fn done(outcome: &'static str) -> Self {
        Self { state: HookState::Done, outcome, user: None, forget: false }
    }

    /// Nothing here does anything about it.
    pub fn ignored(outcome: &'static str) -> Self {
        Self { state: HookState::Ignored, ..Self::done(outcome) }
    }
}
