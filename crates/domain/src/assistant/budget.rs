//! Budgets: how much may be spent, by whom, in which stretch of time.

use std::{collections::BTreeMap, time::Duration};

use chrono::{Datelike as _, Days, Months, NaiveTime, TimeDelta, Timelike as _};

use uuid::Uuid;

use super::{NewCall, Verdict};
use crate::clock::Timestamp;

/// Whose calls count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetBy {
    /// Everybody's.
    All,
    /// Those of each person.
    User,
    /// Those with each API key; others do not count.
    Key,
    /// Those for each seller account; others do not count.
    Seller,
    /// Those of each model.
    Model,
}

impl BudgetBy {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::User => "user",
            Self::Key => "key",
            Self::Seller => "seller",
            Self::Model => "model",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::All, Self::User, Self::Key, Self::Seller, Self::Model].into_iter().find(|one| one.name() == name)
    }
}

/// A stretch of time, by the calendar in UTC; a week begins on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetSpan {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
}

impl BudgetSpan {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month];
        all.into_iter().find(|one| one.name() == name)
    }

    /// When the stretch began that this moment is in.
    pub fn start(self, at: Timestamp) -> Timestamp {
        let cut = |seconds: i64| {
            let since = at.timestamp().rem_euclid(seconds);
            at - TimeDelta::seconds(since) - TimeDelta::nanoseconds(i64::from(at.nanosecond()))
        };
        let day = cut(86_400);
        match self {
            Self::Second => cut(1),
            Self::Minute => cut(60),
            Self::Hour => cut(3600),
            Self::Day => day,
            Self::Week => day - TimeDelta::days(i64::from(at.weekday().num_days_from_monday())),
            Self::Month => day - TimeDelta::days(i64::from(at.day0())),
        }
    }

    /// When the next one begins.
    pub fn end(self, at: Timestamp) -> Timestamp {
        let start = self.start(at);
        match self {
            Self::Second => start + Duration::from_secs(1),
            Self::Minute => start + Duration::from_mins(1),
            Self::Hour => start + Duration::from_hours(1),
            Self::Day => start + Days::new(1),
            Self::Week => start + Days::new(7),
            Self::Month => {
                let next = start.date_naive().checked_add_months(Months::new(1));
                next.map_or(start, |next| next.and_time(NaiveTime::MIN).and_utc())
            }
        }
    }
}

/// How much may be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Its name, which a refusal tells.
    pub name: String,
    /// Whose calls count together.
    pub by: BudgetBy,
    /// Of this person, key or seller account alone.
    pub subject: Option<Uuid>,
    /// In which stretch of time.
    pub span: BudgetSpan,
    /// Of this model alone.
    pub model: Option<String>,
    /// How much, in billionths of the currency.
    pub cost: Option<u64>,
    /// How many tokens, of questions and answers.
    pub tokens: Option<u64>,
    /// How many calls.
    pub calls: Option<u64>,
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowKey {
    /// By which budget.
    pub budget: String,
    /// For whom, such as `user:0198..`.
    pub subject: String,
    /// Since when.
    pub starts_at: Timestamp,
}

/// What was spent in a window, reservations included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// In billionths of the currency.
    pub cost: u64,
    /// Tokens.
    pub tokens: u64,
    /// Calls.
    pub calls: u64,
}

impl Spent {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cost: self.cost.saturating_add(other.cost),
            tokens: self.tokens.saturating_add(other.tokens),
            calls: self.calls.saturating_add(other.calls),
        }
    }

    /// What is left without the other.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            cost: self.cost.saturating_sub(other.cost),
            tokens: self.tokens.saturating_sub(other.tokens),
            calls: self.calls.saturating_sub(other.calls),
        }
    }
}

/// A window that a call must fit in, with what it may hold at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The window.
    pub window: WindowKey,
    /// When it ends.
    pub ends_at: Timestamp,
    /// The most that may cost.
    pub cost: Option<u64>,
    /// The most tokens.
    pub tokens: Option<u64>,
    /// The most calls.
    pub calls: Option<u64>,
}

/// Why a call was not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The budget that has no room for it.
    pub budget: String,
    /// When it has room again, by its calendar.
    pub ends_at: Timestamp,
}

impl Budget {
    /// The window that a call counts in; `None` when it does not count here.
    pub fn hold(&self, call: &NewCall) -> Option<Hold> {
        if self.model.as_ref().is_some_and(|model| *model != call.model) {
            return None;
        }
        let own = match self.by {
            BudgetBy::All | BudgetBy::Model => None,
            BudgetBy::User => Some(call.user.0),
            BudgetBy::Key => Some(call.key?.0),
            BudgetBy::Seller => Some(call.seller?.0),
        };
        if self.subject.is_some() && self.subject != own {
            return None;
        }
        let subject = match (self.by, own) {
            (by, Some(own)) => format!("{}:{own}", by.name()),
            (BudgetBy::Model, _) => format!("model:{}", call.model),
            (..) => "all".to_owned(),
        };
        let (starts_at, ends_at) = (self.span.start(call.started_at), self.span.end(call.started_at));
        let window = WindowKey { budget: self.name.clone(), subject, starts_at };
        Some(Hold { window, ends_at, cost: self.cost, tokens: self.tokens, calls: self.calls })
    }
}

impl Hold {
    /// Whether there is room for this beside what was spent.
    fn has_room(&self, spent: Spent, wanted: Spent) -> bool {
        let after = spent.plus(wanted);
        self.cost.is_none_or(|most| after.cost <= most)
            && self.tokens.is_none_or(|most| after.tokens <= most)
            && self.calls.is_none_or(|most| after.calls <= most)
    }
}

/// Says of each call, in this order, whether it may begin: when all its windows have room for the most it can use. What begins is
/// added to the windows. Every adapter of the ledger decides by this alone, while nobody else changes these windows.
pub fn decide(windows: &mut BTreeMap<WindowKey, Spent>, calls: &[NewCall]) -> Vec<Verdict> {
    let mut one = |call: &NewCall| {
        let wanted = call.most();
        for hold in &call.holds {
            let spent = windows.get(&hold.window).copied().unwrap_or_default();
            if !hold.has_room(spent, wanted) {
                return Err(Refusal { budget: hold.window.budget.clone(), ends_at: hold.ends_at });
            }
        }
        for hold in &call.holds {
            let spent = windows.entry(hold.window.clone()).or_default();
            *spent = spent.plus(wanted);
        }
        Ok(())
    };
    calls.iter().map(&mut one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_follow_the_calendar() {
        let at: Timestamp = "2028-02-29T23:59:59.999999Z".parse().unwrap();
        let stretch = |span: BudgetSpan| format!("{:?} {:?}", span.start(at), span.end(at));
        assert_eq!(stretch(BudgetSpan::Second), "2028-02-29T23:59:59Z 2028-03-01T00:00:00Z");
        assert_eq!(stretch(BudgetSpan::Minute), "2028-02-29T23:59:00Z 2028-03-01T00:00:00Z");
        assert_eq!(stretch(BudgetSpan::Hour), "2028-02-29T23:00:00Z 2028-03-01T00:00:00Z");
        assert_eq!(stretch(BudgetSpan::Day), "2028-02-29T00:00:00Z 2028-03-01T00:00:00Z");
        assert_eq!(stretch(BudgetSpan::Week), "2028-02-28T00:00:00Z 2028-03-06T00:00:00Z");
        assert_eq!(stretch(BudgetSpan::Month), "2028-02-01T00:00:00Z 2028-03-01T00:00:00Z");
    }
}
