//! `[limits]`: how often somebody may call (RL-02, ruling R6).

use std::time::Duration;

use domain::limit::Policy;

use super::{Reader, Setting};

/// The policies there are, each under its own name: `calls/seconds`, or `off`.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("limits.sign_in", "100/900", "Sign-in and registration, by address."),
    Setting::new("limits.list_products", "100/60", "Lists of products."),
    Setting::new("limits.get_product", "200/60", "Single products."),
    Setting::new("limits.create_product", "10/60", "New products."),
    Setting::new("limits.update_product", "50/60", "Changes of products."),
    Setting::new("limits.delete_product", "20/60", "Deletions of products."),
];

/// The rate limits that are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) policies: Vec<Policy>,
}

impl Limits {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let read: Vec<_> = SETTINGS.iter().map(|setting| policy(reader, setting.key)).collect();
        let policies = read.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Self { policies: policies.into_iter().flatten().collect() })
    }
}

#[expect(clippy::option_option, reason = "a fault, a policy that is off and one that is on are three things")]
fn policy(reader: &mut Reader<'_>, key: &str) -> Option<Option<Policy>> {
    let text = reader.text(key);
    if text == "off" {
        return Some(None);
    }
    let name = key.trim_start_matches("limits.").to_owned();
    let parsed = text.split_once('/').and_then(|(limit, seconds)| {
        let limit = limit.trim().parse().ok().filter(|limit| *limit > 0)?;
        let seconds = seconds.trim().parse().ok().filter(|seconds| (1..=86_400).contains(seconds))?;
        Some(Policy { name, limit, window: Duration::from_secs(seconds) })
    });
    if parsed.is_none() {
        reader.fault(key, format!("must be calls and seconds, such as 100/60, or off; is {text:?}"));
    }
    parsed.map(Some)
}
