//! A ban: somebody is nobody for a time.

use crate::{
    clock::Timestamp,
    error::{Breach, Violations},
    id::UserId,
    text,
};

/// Most characters of a reason.
const REASON_MAX: usize = 500;

/// A ban. While it stands the person is nobody: whatever they signed in with, and whatever keys they made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Who is banned.
    pub user: UserId,
    /// Until when; `None` until it is lifted.
    pub until: Option<Timestamp>,
    /// Why, for those who may see bans.
    pub reason: String,
    /// Who banned them; `None` when it follows from a ban where they sign in.
    pub by: Option<UserId>,
    /// Since when.
    pub at: Timestamp,
}

/// A ban as it is sent, unchecked.
#[derive(Debug, Clone, Default)]
pub struct BanInput {
    /// Until when.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
}

/// A checked [`BanInput`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBan {
    pub(super) until: Option<Timestamp>,
    pub(super) reason: String,
}

impl BanInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(&self, now: Timestamp, violations: &mut Violations) -> Option<NewBan> {
        let reason = match &self.reason {
            Some(text) => violations.check("/reason", text::line(text, 1, REASON_MAX)),
            None => violations.missing("/reason"),
        };
        let until = match self.until {
            Some(until) if until <= now => {
                violations.check("/until", Err(Breach::new("future", "must be a moment to come")))?
            }
            until => until,
        };
        Some(NewBan { until, reason: reason? })
    }
}
