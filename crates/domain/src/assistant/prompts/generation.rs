//! An answer that was asked for by a prompt. What was said is kept nowhere: which version it was, and how it went.

use std::time::Duration;

use super::VersionNumber;
use crate::{
    clock::Timestamp,
    error::{Breach, Violations},
    id::{GenerationId, PromptId, UserId},
};

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenerationState {
    /// It is being made.
    Running,
    /// It was given.
    Done,
    /// The model failed, or what it said was no answer.
    Failed,
    /// No model was asked: a budget had no room, or somebody asked too often.
    Refused,
}

impl GenerationState {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Running, Self::Done, Self::Failed, Self::Refused].into_iter().find(|state| state.name() == name)
    }
}

/// An answer that was asked for by a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Its id, by which the ledger knows its calls.
    pub id: GenerationId,
    /// The prompt.
    pub prompt: PromptId,
    /// The version that served.
    pub version: VersionNumber,
    /// Who asked.
    pub user: UserId,
    /// The model that was asked for.
    pub model: String,
    /// What became of it.
    pub state: GenerationState,
    /// Why it failed or was refused, in a word.
    pub reason: Option<String>,
    /// How long it took.
    pub took: Option<Duration>,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// What an outcome is measured in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutcomeValue {
    /// Whether it is so.
    Flag(bool),
    /// How much.
    Number(f64),
}

impl OutcomeValue {
    /// As a number: what is so is one.
    pub fn number(self) -> f64 {
        match self {
            Self::Flag(flag) => f64::from(u8::from(flag)),
            Self::Number(number) => number,
        }
    }
}

/// How an answer turned out, by one measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What is measured.
    pub metric: String,
    /// How it turned out.
    pub value: OutcomeValue,
    /// When that was said.
    pub at: Timestamp,
}

/// How an answer turned out, unchecked.
#[derive(Debug, Clone, Default)]
pub struct OutcomeInput {
    /// What is measured; `success` when absent.
    pub metric: Option<String>,
    /// How it turned out.
    pub value: Option<OutcomeValue>,
}

impl OutcomeInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(self, violations: &mut Violations) -> Option<(String, OutcomeValue)> {
        let metric = self.metric.unwrap_or_else(|| "success".to_owned());
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        let is_name = (1..=64).contains(&metric.len()) && metric.bytes().all(fits);
        let breach = || Breach::new("pattern", "must have 1 to 64 of small letters, digits, dashes and underscores");
        let metric = violations.check("/metric", if is_name { Ok(metric) } else { Err(breach()) });
        let value = match self.value {
            Some(OutcomeValue::Number(number)) if number.is_nan() || number.abs() > 1e12 => {
                violations.add("/value", "range", "must be true, false, or a number from -1e12 to 1e12");
                None
            }
            Some(value) => Some(value),
            None => violations.missing("/value"),
        };
        metric.zip(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_a_flag_or_a_number() {
        let check = |metric: Option<&str>, value| {
            let mut violations = Violations::default();
            let checked = OutcomeInput { metric: metric.map(str::to_owned), value }.check(&mut violations);
            checked.ok_or_else(|| violations.iter().map(|one| one.field.clone()).collect::<Vec<_>>())
        };
        let yes = OutcomeValue::Flag(true);
        assert_eq!(check(None, Some(yes)), Ok(("success".to_owned(), yes)));
        let stars = OutcomeValue::Number(-4.5);
        assert_eq!(check(Some("stars"), Some(stars)), Ok(("stars".to_owned(), stars)));
        assert_eq!(check(Some("Stars!"), None), Err(vec!["/metric".to_owned(), "/value".to_owned()]));
        for odd in [f64::NAN, f64::INFINITY, 1e13] {
            assert_eq!(check(None, Some(OutcomeValue::Number(odd))), Err(vec!["/value".to_owned()]));
        }
        let numbers = [yes, OutcomeValue::Flag(false), stars].map(|value| Some(value.number()));
        assert_eq!(numbers, [Some(1.0), Some(0.0), Some(-4.5)]);
    }
}
