//! Looking for an answer that was kept, and keeping the one that is made.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{DEPLOYMENT, KeepWhen, KeptAnswer, KeptAnswers, Place, Question, Wishes};
use crate::{
    actor::Principal,
    assistant::{Assistant, CallState, Denied, NewCall, Settlement, Usage},
    clock::Clock,
    permission::{Authorized, UseAssistant},
    shop::Shop,
};

/// Why what was kept was not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// Such things are not kept.
    Bypass,
    /// There is none.
    Miss,
    /// There is one, and the caller does not want it.
    Request,
}

/// What a look gave.
#[derive(Debug)]
pub enum Looked {
    /// Nothing is kept here at all.
    Off,
    /// It was kept, and the ledger knows that it was given.
    Hit {
        /// What was kept.
        answer: KeptAnswer,
        /// How old it is.
        age: Duration,
        /// For how long it is good still.
        left: Duration,
    },
    /// A model is to be asked.
    Ask {
        /// Why.
        passed: Passed,
        /// Keeps what it answers, unless that is not to be kept.
        keeping: Option<Keeping>,
    },
}

/// Keeps the answer that is being made.
#[derive(Clone)]
pub struct Keeping {
    answers: KeptAnswers,
    place: Place,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Keeping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeping").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Keeping {
    /// The most bytes of what can be kept.
    pub fn longest(&self) -> usize {
        self.answers.longest
    }

    /// Keeps what was written to whoever asked, whole; gives whether it fits.
    pub async fn keep(&self, usage: Usage, body: Bytes) -> bool {
        let Self { answers, place, clock } = self;
        if body.len() > answers.longest {
            return false;
        }
        let answer = KeptAnswer { made_at: clock.now(), usage, body };
        let sealed = answer.bytes().and_then(|bytes| answers.sealer.seal(&place.context(), &bytes).ok());
        let Some(sealed) = sealed else { return false };
        answers.store.put(place.of, &place.name, sealed.into(), answers.fresh).await;
        true
    }
}

/// Looks for an answer to this question of the caller. One that is given costs nothing, is held by no budget, and has a row in the ledger.
///
/// # Errors
/// When the ledger cannot be written, and when nothing but what is kept was wanted.
pub async fn look(
    assistant: &Assistant,
    shop: &Shop,
    auth: &Authorized<UseAssistant>,
    request_id: &str,
    question: Question<'_>,
    wishes: Wishes,
    can_be_kept: bool,
) -> Result<Looked, Denied> {
    let asked = |passed, keeping| {
        if wishes.only_if_cached { Err(Denied::NotKept) } else { Ok(Looked::Ask { passed, keeping }) }
    };
    let Some(answers) = &assistant.kept else {
        return if wishes.only_if_cached { Err(Denied::NotKept) } else { Ok(Looked::Off) };
    };
    let wanted = answers.when == KeepWhen::Always || wishes.max_age.is_some_and(|age| !age.is_zero());
    let place = if can_be_kept && wanted { Place::of(&assistant.models, auth.principal(), question) } else { None };
    let Some(place) = place else { return asked(Passed::Bypass, None) };
    let found = found(answers, &place).await;
    let keeping = Keeping { answers: answers.clone(), place, clock: Arc::clone(&shop.clock) };
    let keeping = (!wishes.no_store).then_some(keeping);
    let Some(answer) = found else { return asked(Passed::Miss, keeping) };
    let age = (shop.now() - answer.made_at).to_std().unwrap_or_default();
    let Some(left) = answers.fresh.checked_sub(age).filter(|left| !left.is_zero()) else {
        return asked(Passed::Miss, keeping);
    };
    let suits = !wishes.no_cache
        && wishes.max_age.is_none_or(|most| age <= most)
        && wishes.min_fresh.is_none_or(|least| left >= least);
    if !suits {
        return asked(Passed::Request, keeping);
    }
    given(assistant, shop, auth.principal(), request_id, question, answer.usage).await?;
    Ok(Looked::Hit { answer, age, left })
}

/// What is kept in a place. What does not open was sealed by another secret: it is as good as none.
async fn found(answers: &KeptAnswers, place: &Place) -> Option<KeptAnswer> {
    let sealed = answers.store.get(place.of, &place.name).await?;
    KeptAnswer::read(answers.sealer.open(&place.context(), &sealed).ok()?)
}

/// Writes down that what was kept was given: what it used when it was made is what was saved.
async fn given(
    assistant: &Assistant,
    shop: &Shop,
    by: &Principal,
    request_id: &str,
    question: Question<'_>,
    usage: Usage,
) -> Result<(), Denied> {
    let now = shop.now();
    let call = NewCall {
        id: shop.id(),
        user: by.user,
        key: by.key,
        seller: by.seller,
        request: request_id.to_owned(),
        generation: None,
        kind: question.kind,
        model: question.model.to_owned(),
        deployment: DEPLOYMENT.to_owned(),
        prompt: 0,
        completion: 0,
        cost: Some(0),
        holds: Vec::new(),
        started_at: now,
    };
    let settled = Settlement {
        id: call.id,
        windows: Vec::new(),
        held: call.most(),
        state: CallState::Cached,
        usage,
        cost: Some(0),
        fault: None,
        first_at: None,
        first_after: None,
        ended_at: now,
    };
    if let Err(refusal) = assistant.ledger.reserve(call).await? {
        return Err(Denied::Budget(refusal));
    }
    assistant.ledger.settle(settled);
    Ok(())
}
