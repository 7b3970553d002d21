//! What makes a price, and what it must keep.

use super::super::{Price, amount::read_amount};
use crate::{
    clock::Timestamp,
    error::{Breach, Violations},
    text,
};

/// Digits behind the point of a price for a million tokens.
const DIGITS: usize = 6;

/// What makes a price, unchecked: amounts are decimal texts in the assistant's currency, for a million tokens.
#[derive(Debug, Clone, Default)]
pub struct PriceInput {
    /// Provider and model there.
    pub deployment: Option<String>,
    /// From when on; at once when it is not said.
    pub from: Option<Timestamp>,
    /// What is asked.
    pub input: Option<String>,
    /// What is asked and was read before; as much as `input` when it is not said.
    pub cached: Option<String>,
    /// What is answered.
    pub output: Option<String>,
    /// What is thought; as much as `output` when it is not said.
    pub reasoning: Option<String>,
}

/// A checked [`PriceInput`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrice(pub(super) Price);

impl PriceInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(&self, now: Timestamp, violations: &mut Violations) -> Option<NewPrice> {
        let deployment = match &self.deployment {
            Some(name) => violations.check("/deployment", deployment(name)),
            None => violations.missing("/deployment"),
        };
        let from = match self.from {
            Some(passed) if passed < now => {
                let message = "must not have passed: what was spent keeps its price; leave it out for now";
                violations.add("/from", "future", message);
                None
            }
            said => Some(said.unwrap_or(now)),
        };
        let input = amount("/input", self.input.as_deref(), violations);
        let output = amount("/output", self.output.as_deref(), violations);
        let mut or = |field: &'static str, given: &Option<String>, usual: Option<u64>| match given {
            Some(_) => amount(field, given.as_deref(), violations),
            None => usual,
        };
        let (cached, reasoning) = (or("/cached", &self.cached, input), or("/reasoning", &self.reasoning, output));
        Some(NewPrice(Price {
            deployment: deployment?,
            from: from?,
            until: None,
            input: input?,
            cached: cached?,
            output: output?,
            reasoning: reasoning?,
        }))
    }
}

fn deployment(name: &str) -> Result<String, Breach> {
    let name = text::line(name, 3, 200)?;
    match name.split_once('/') {
        Some((provider, model)) if !provider.is_empty() && !model.is_empty() => Ok(name),
        _ => Err(Breach::new("pattern", "must be a provider and a model there, such as openai/gpt-4o-mini")),
    }
}

fn amount(field: &'static str, given: Option<&str>, violations: &mut Violations) -> Option<u64> {
    let Some(text) = given else { return violations.missing(field) };
    let read = read_amount(text, DIGITS);
    violations.check(
        field,
        read.ok_or_else(|| {
            Breach::new("pattern", "must be a decimal number of at most 9 digits and 6 behind the point, such as 0.15")
        }),
    )
}
