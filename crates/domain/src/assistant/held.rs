//! A call that was written down: whatever becomes of it, the ledger hears of its end.

use std::sync::Arc;

use super::{
    Assistant, CallKind, CallState, ChatRequest, Counts, Denied, Fault, NewCall, Price, Settlement, Spent, Usage,
    WindowKey, bound, ports::Ledger, tokenizer,
};
use crate::{
    actor::Principal,
    clock::{Clock, Timestamp},
    id::{AssistantCallId, GenerationId},
    shop::Shop,
};

/// The most bytes of question and of answer that are kept until it is known whether their tokens are to be counted.
const KEPT: usize = 256 * 1024;

/// What was asked and answered, for a provider that does not say what it used.
struct Words {
    counts: Counts,
    /// What was asked; nothing when it is too long.
    asked: Vec<String>,
    /// What stands around it.
    around: u64,
    /// What was answered, as far as it is kept.
    answered: String,
}

/// Who calls, and for which request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) principal: &'a Principal,
    pub(super) request: &'a str,
    pub(super) generation: Option<GenerationId>,
}

/// What a call is about to use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) kind: CallKind,
    pub(super) model: &'a str,
    pub(super) deployment: &'a str,
    /// The most tokens of the question, and about how many.
    pub(super) prompt: (u64, u64),
    /// The most tokens of the answer.
    pub(super) completion: u64,
}

/// A call that was written down. Dropped before it was settled, it was given up by whoever waited for it.
pub(super) struct Held {
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    id: AssistantCallId,
    windows: Vec<WindowKey>,
    most: Spent,
    bound: (u64, u64),
    guess: u64,
    price: Option<Price>,
    started_at: Timestamp,
    first_at: Option<Timestamp>,
    answered: usize,
    usage: Option<Usage>,
    /// What is counted if nobody says.
    words: Option<Words>,
    /// What was counted.
    counted: Option<Usage>,
    is_settled: bool,
}

impl Held {
    /// Writes a call down.
    pub(super) async fn of(
        assistant: &Assistant,
        shop: &Shop,
        caller: Caller<'_>,
        wanted: Wanted<'_>,
    ) -> Result<Self, Denied> {
        let now = shop.now();
        let terms = assistant.terms.now();
        let price = terms.prices.at(wanted.deployment, now).cloned();
        let mut call = NewCall {
            id: shop.id(),
            user: caller.principal.user,
            key: caller.principal.key,
            seller: caller.principal.seller,
            request: caller.request.to_owned(),
            generation: caller.generation,
            kind: wanted.kind,
            model: wanted.model.to_owned(),
            deployment: wanted.deployment.to_owned(),
            prompt: wanted.prompt.0,
            completion: wanted.completion,
            cost: price.as_ref().map(|price| price.most(wanted.prompt.0, wanted.completion)),
            holds: Vec::new(),
            started_at: now,
        };
        call.holds = terms.budgets.iter().filter_map(|budget| budget.hold(&call)).collect();
        if price.is_none() && call.holds.iter().any(|hold| hold.cost.is_some()) {
            return Err(Denied::Unpriced(wanted.model.to_owned()));
        }
        let mut held = Self {
            ledger: Arc::clone(&assistant.ledger),
            clock: Arc::clone(&shop.clock),
            id: call.id,
            windows: call.holds.iter().map(|hold| hold.window.clone()).collect(),
            most: call.most(),
            bound: (call.prompt, call.completion),
            guess: wanted.prompt.1.min(wanted.prompt.0),
            price,
            started_at: now,
            first_at: None,
            answered: 0,
            usage: None,
            words: None,
            counted: None,
            is_settled: false,
        };
        // Whoever goes away meanwhile leaves a row or none; its end is told in either case.
        let denied = match assistant.ledger.reserve(call).await {
            Ok(Ok(())) => return Ok(held),
            Ok(Err(refusal)) => Denied::Budget(refusal),
            Err(error) => error.into(),
        };
        held.is_settled = true;
        Err(denied)
    }

    /// It is known how its model counts.
    pub(super) fn counted_by(&mut self, counts: Option<&Counts>, request: &ChatRequest) {
        self.words = counts.map(|counts| {
            let is_short = usize::try_from(bound(request)).is_ok_and(|bytes| bytes <= KEPT);
            let asked = if is_short { tokenizer::texts(request) } else { Vec::new() };
            Words { counts: Counts::clone(counts), asked, around: tokenizer::around(request), answered: String::new() }
        });
    }

    /// A piece of the answer came.
    pub(super) fn heard(&mut self, text: &str) {
        if self.first_at.is_none() {
            self.first_at = Some(self.clock.now());
        }
        self.answered = self.answered.saturating_add(text.len());
        if let Some(words) = self.words.as_mut().filter(|words| words.answered.len() + text.len() <= KEPT) {
            words.answered.push_str(text);
        }
    }

    /// Counts what nobody said. Whoever goes away before leaves a guess by bytes.
    pub(super) async fn reckon(&mut self) {
        if self.usage.is_some() {
            return;
        }
        let Some(Words { counts, asked, around, answered }) = self.words.take() else { return };
        let guess = self.figures().0;
        let prompt = if asked.is_empty() {
            guess.prompt
        } else {
            tokenizer::total(&counts, asked).await.saturating_add(around).min(self.bound.0)
        };
        let rest = self.answered.saturating_sub(answered.len());
        let beyond = super::tokens::guess(0, rest).completion;
        let completion = tokenizer::total(&counts, vec![answered]).await.saturating_add(beyond).min(self.bound.1);
        self.counted = Some(Usage { prompt, completion, ..Usage::default() });
    }

    /// The provider says what was used so far.
    pub(super) fn told(&mut self, usage: Usage) {
        // Some say zero where they mean that they do not know.
        if usage.total() > 0 {
            self.usage = Some(usage);
        }
    }

    /// What was used so far, and whether that is a guess of ours.
    pub(super) fn figures(&self) -> (Usage, bool) {
        let guess = || {
            let guess = super::tokens::guess(self.guess, self.answered);
            Usage { completion: guess.completion.min(self.bound.1), ..guess }
        };
        (self.usage.or(self.counted).unwrap_or_else(guess), self.usage.is_none())
    }

    /// It ended in order.
    pub(super) fn ended(&mut self) {
        self.settle(None);
    }

    /// It failed.
    pub(super) fn failed(&mut self, fault: &Fault) {
        if fault.may_cost || self.answered > 0 || self.usage.is_some() {
            self.settle(Some(fault.class.name()));
        } else {
            self.tell(CallState::Failed, Usage::default(), Some(fault.class.name()));
        }
    }

    fn settle(&mut self, fault: Option<&'static str>) {
        match self.usage {
            Some(usage) if usage.prompt > self.bound.0 || usage.completion > self.bound.1 => {
                self.tell(CallState::Overrun, usage, fault);
            }
            Some(usage) => self.tell(CallState::Settled, usage, fault),
            None => self.tell(CallState::Estimated, self.figures().0, fault),
        }
    }

    fn tell(&mut self, state: CallState, usage: Usage, fault: Option<&'static str>) {
        if std::mem::replace(&mut self.is_settled, true) {
            return;
        }
        self.ledger.settle(Settlement {
            id: self.id,
            windows: std::mem::take(&mut self.windows),
            held: self.most,
            state,
            usage,
            cost: self.price.as_ref().map(|price| price.cost(&usage)),
            fault,
            first_at: self.first_at,
            first_after: self.first_at.and_then(|first| (first - self.started_at).to_std().ok()),
            ended_at: self.clock.now(),
        });
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.settle(Some("abandoned"));
    }
}
