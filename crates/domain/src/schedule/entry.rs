//! One entry of the schedule.

use std::time::Duration;

use super::{CatchUp, Cron};
use crate::{clock::Timestamp, job::Request};

/// A tick that is looked at later than this was missed: nobody was there to look, for each node looks every few seconds.
pub const LATE: Duration = Duration::from_mins(1);
/// Ticks that are older than this are forgotten, whatever is to become of missed ones.
const FORGOTTEN: Duration = Duration::from_hours(366 * 24);

/// What is run when.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name, such as `purge`.
    pub name: &'static str,
    /// When; `None` while it is off. Then it is run by hand only.
    pub cron: Option<Cron>,
    /// What becomes of missed ticks.
    pub catch_up: CatchUp,
    /// The job.
    pub job: Request,
}

impl Entry {
    /// The ticks to run now, oldest first, and the last tick that has passed. `None` when none has since `last`.
    pub fn due(&self, last: Timestamp, now: Timestamp) -> Option<(Vec<Timestamp>, Timestamp)> {
        let cron = self.cron.as_ref()?;
        let from = last.max(now - FORGOTTEN);
        let ticks = || std::iter::successors(cron.next(from), |tick| cron.next(*tick)).take_while(|tick| *tick <= now);
        let mut passed = from;
        let chosen = self.catch_up.choose(ticks().inspect(|tick| passed = *tick), |tick| tick + LATE < now);
        (passed > from).then_some((chosen, passed))
    }

    /// The key of the job of one tick.
    pub fn key(&self, tick: Timestamp) -> String {
        format!("{}@{}", self.name, tick.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }

    /// When it is run next.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.cron.as_ref()?.next(now)
    }
}
