//! Forgetting the answers of somebody who was deleted.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{KeptAnswers, ports::AnswerStore};
use crate::{
    error::Result,
    event::{Event, Fact},
    id::UserId,
    job::{Job, Policy, Request},
};

/// Forgets the answers of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetAnswers {
    /// Whose.
    pub user: UserId,
}

impl Job for ForgetAnswers {
    const NAME: &'static str = "forget_answers";

    fn policy() -> Policy {
        // What is shared by nodes may be away for long; after that its answers are over by themselves.
        Policy { attempts: 1_000, ..Policy::default() }
    }
}

/// Whose answers an event makes forgotten.
pub fn forgotten_by(event: &Event) -> Option<UserId> {
    match Fact::of(event) {
        Ok(Fact::User(user)) if event.kind == "user.deleted" => Some(user),
        _ => None,
    }
}

/// The job that an event wants done.
pub fn forget_when_gone(event: &Event) -> Vec<Request> {
    forgotten_by(event).map(|user| Request::of(&ForgetAnswers { user })).into_iter().collect()
}

impl ForgetAnswers {
    /// Does it. Run again, it finds nothing to do.
    ///
    /// # Errors
    /// When it could not be made sure of.
    pub async fn run(self, answers: &KeptAnswers) -> Result<()> {
        let store: &dyn AnswerStore = &*answers.store;
        store.forget(self.user, answers.fresh.max(Duration::from_mins(1))).await
    }
}
