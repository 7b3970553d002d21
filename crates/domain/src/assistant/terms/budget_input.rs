//! What makes a budget, and what it must keep.

use uuid::Uuid;

use super::super::{Budget, BudgetBy, BudgetSpan, amount::read_amount};
use crate::{
    error::{Breach, Violations},
    text,
};

/// Digits behind the point of an amount of money.
const DIGITS: usize = 9;
/// The most tokens or calls of a budget.
const MOST: i64 = 1_000_000_000_000_000;

/// What makes a budget, unchecked.
#[derive(Debug, Clone, Default)]
pub struct BudgetInput {
    /// Its name, which refusals tell.
    pub name: Option<String>,
    /// Whose calls count together.
    pub by: Option<BudgetBy>,
    /// Of this person, key or seller account alone.
    pub subject: Option<Uuid>,
    /// In which stretch of time.
    pub span: Option<BudgetSpan>,
    /// Of this model alone.
    pub model: Option<String>,
    /// How much, as a decimal text in the currency.
    pub cost: Option<String>,
    /// How many tokens.
    pub tokens: Option<i64>,
    /// How many calls.
    pub calls: Option<i64>,
}

/// A checked [`BudgetInput`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBudget(pub(super) Budget);

/// A change of how much may be spent: outside `None` stays, inside `None` is without bound.
#[expect(clippy::option_option, reason = "what stays, what goes and what is put are three things")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BudgetPatch {
    cost: Option<Option<u64>>,
    tokens: Option<Option<u64>>,
    calls: Option<Option<u64>>,
}

impl BudgetInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(&self, violations: &mut Violations) -> Option<NewBudget> {
        let name = match &self.name {
            Some(name) => violations.check("/name", budget_name(name)),
            None => violations.missing("/name"),
        };
        let by = self.by.or_else(|| violations.missing("/by"));
        let span = self.span.or_else(|| violations.missing("/span"));
        if self.subject.is_some() && matches!(by, Some(BudgetBy::All | BudgetBy::Model)) {
            violations.add("/subjectId", "consistent", "is for budgets by user, key or seller alone");
        }
        let model = match &self.model {
            Some(model) => Some(violations.check("/model", text::line(model, 1, 100))?),
            None => None,
        };
        let cost = cost("/cost", self.cost.as_deref(), violations);
        let tokens = number("/tokens", self.tokens, violations);
        let calls = number("/calls", self.calls, violations);
        let said = [self.cost.is_some(), self.tokens.is_some(), self.calls.is_some()];
        if said == [false; 3] {
            violations.add("/cost", "exists", "must be said, or tokens, or calls: how much may be spent");
        }
        Some(NewBudget(Budget { name: name?, by: by?, subject: self.subject, span: span?, model, cost, tokens, calls }))
    }
}

impl BudgetPatch {
    /// Puts how much money may be spent; `None` is without bound.
    pub fn cost(&mut self, text: Option<&str>, violations: &mut Violations) {
        self.cost = Some(cost("/cost", text, violations));
    }

    /// Puts how many tokens.
    pub fn tokens(&mut self, given: Option<i64>, violations: &mut Violations) {
        self.tokens = Some(number("/tokens", given, violations));
    }

    /// Puts how many calls.
    pub fn calls(&mut self, given: Option<i64>, violations: &mut Violations) {
        self.calls = Some(number("/calls", given, violations));
    }

    pub(super) fn apply(self, to: &mut Budget) {
        to.cost = self.cost.unwrap_or(to.cost);
        to.tokens = self.tokens.unwrap_or(to.tokens);
        to.calls = self.calls.unwrap_or(to.calls);
    }
}

fn budget_name(name: &str) -> Result<String, Breach> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(name.to_owned());
    }
    Err(Breach::new("pattern", "must have 1 to 64 of small letters, digits, dashes and underscores"))
}

fn cost(field: &'static str, given: Option<&str>, violations: &mut Violations) -> Option<u64> {
    let read = read_amount(given?, DIGITS);
    let fault =
        || Breach::new("pattern", "must be a decimal number of at most 9 digits and 9 behind the point, such as 2.50");
    violations.check(field, read.ok_or_else(fault))
}

fn number(field: &'static str, given: Option<i64>, violations: &mut Violations) -> Option<u64> {
    let fits = given.filter(|number| (0..=MOST).contains(number)).and_then(|number| u64::try_from(number).ok());
    if given.is_some() && fits.is_none() {
        violations.add(field, "range", format!("must be a whole number from 0 to {MOST}"));
    }
    fits
}
