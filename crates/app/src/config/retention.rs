//! `[retention]`: how long what is kept. Idempotency keys are kept as long as `shop.keep_keys_hours` says.

use std::time::Duration;

use domain::retention::KeepJobs;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("retention.events_days", "30", "Days that numbered events are kept; 0 keeps them for ever."),
    Setting::new("retention.audit_days", "0", "Days that audit entries are kept; 0 keeps them for ever."),
    Setting::new(
        "retention.deleted_products_days",
        "30",
        "Days that a deleted product can be restored; 0 keeps it for ever.",
    ),
    Setting::new("retention.jobs_days", "7", "Days that done and cancelled jobs are shown; 0 keeps them for ever."),
    Setting::new("retention.messages_days", "0", "Days that messages in rooms are kept; 0 keeps them for ever."),
    Setting::new(
        "retention.sessions_days",
        "30",
        "Days that sessions are kept after they are over; 0 keeps them for ever.",
    ),
    Setting::new(
        "retention.hook_events_days",
        "30",
        "Days that webhooks that came in are kept, and known again; 0 keeps them for ever.",
    ),
    Setting::new("retention.dead_jobs_days", "30", "Days that a dead job can be retried; 0 keeps it for ever."),
];

/// How long what is kept; `None` for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retention {
    pub(crate) events: Option<Duration>,
    pub(crate) audit: Option<Duration>,
    pub(crate) deleted_products: Option<Duration>,
    pub(crate) jobs: KeepJobs,
    pub(crate) messages: Option<Duration>,
    pub(crate) sessions: Option<Duration>,
    pub(crate) hook_events: Option<Duration>,
}

impl Retention {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut days = |key| {
            let days: Option<u64> = reader.number(key, 0..=36_500);
            days.map(|days| (days > 0).then(|| Duration::from_hours(24 * days)))
        };
        let events = days("retention.events_days");
        let audit = days("retention.audit_days");
        let deleted_products = days("retention.deleted_products_days");
        let messages = days("retention.messages_days");
        let sessions = days("retention.sessions_days");
        let hook_events = days("retention.hook_events_days");
        let (done, dead) = (days("retention.jobs_days"), days("retention.dead_jobs_days"));
        let jobs = KeepJobs { done: done?, dead: dead? };
        Some(Self {
            events: events?,
            audit: audit?,
            deleted_products: deleted_products?,
            jobs,
            messages: messages?,
            sessions: sessions?,
            hook_events: hook_events?,
        })
    }
}
