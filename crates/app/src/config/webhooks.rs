//! `[webhooks]`: what is told to addresses that others gave.

use std::time::Duration;

use domain::webhooks::WebhookRules;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "webhooks.at_once",
        "128",
        "Webhooks that this process sends at the same time; 0 leaves them to other nodes.",
    ),
    Setting::new("webhooks.endpoint_at_once", "32", "Of these, to one endpoint at most."),
    Setting::new("webhooks.timeout_seconds", "15", "How long a receiver may take to answer."),
    Setting::new("webhooks.endpoints_max", "50", "The most endpoints of one person, seller account or shop."),
    Setting::new("webhooks.disable_after_hours", "120", "After failing for so long an endpoint is switched off."),
];

/// What is told to addresses that others gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hooks {
    pub(crate) at_once: u32,
    pub(crate) endpoint_at_once: u32,
    pub(crate) timeout: Duration,
    pub(crate) rules: WebhookRules,
}

impl Hooks {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let at_once = reader.number("webhooks.at_once", 0..=4096);
        let endpoint_at_once = reader.number("webhooks.endpoint_at_once", 1..=1024);
        let timeout = reader.seconds("webhooks.timeout_seconds", 1..=30);
        let most = reader.number("webhooks.endpoints_max", 1..=100_000);
        let endured = reader.number("webhooks.disable_after_hours", 1..=24 * 90).map(Duration::from_hours);
        let rules = WebhookRules { most: most?, endured: endured? };
        Some(Self { at_once: at_once?, endpoint_at_once: endpoint_at_once?, timeout: timeout?, rules })
    }
}
