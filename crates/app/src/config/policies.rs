//! `[limits.policies.<name>]`: rate limits beside those that every shop has (ruling R6).

use std::{collections::BTreeMap, time::Duration};

use api::{LimitRule, LimitScope};
use domain::limit::{Pace, Policy};

use super::{
    Reader,
    family::{Family, Field},
    limits,
    report::nearest,
};

/// What all their names begin with.
const SECTION: &str = "limits.policies.";
/// The sections.
pub(super) const FAMILY: Family = Family {
    section: SECTION,
    variables: "SOUK__LIMITS__POLICIES__",
    fields: &[
        Field::new("applies_to", ""),
        Field::new("by", "actor"),
        Field::new("limit", ""),
        Field::new("window_seconds", "60"),
        Field::new("mode", "refuse"),
        Field::new("max_wait_ms", "1000"),
        Field::new("max_waiting", "10"),
    ],
};

/// Reads every policy that has a name in some layer.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Vec<LimitRule>> {
    let names = reader.names(|key| FAMILY.named(key));
    if names.is_empty() {
        return Some(Vec::new());
    }
    let operations = api::app::operations();
    let read: Vec<_> = names.iter().map(|name| rule(reader, name, &operations)).collect();
    read.into_iter().collect()
}

fn rule(reader: &mut Reader<'_>, name: &str, operations: &BTreeMap<String, String>) -> Option<LimitRule> {
    let key = |field: &str| format!("{SECTION}{name}.{field}");
    if limits::SETTINGS.iter().any(|setting| setting.key == format!("limits.{name}")) {
        reader.fault(&key("limit"), format!("the name is taken; set limits.{name}"));
        return None;
    }
    let applies_to = applies_to(reader, &key("applies_to"), operations);
    let scope = reader.one_of(
        &key("by"),
        &[
            ("address", LimitScope::Address),
            ("actor", LimitScope::Actor),
            ("global", LimitScope::Everybody),
            ("api_key", LimitScope::ApiKey),
        ],
    );
    let limit = reader.number(&key("limit"), 1..=1_000_000_000);
    let window = reader.seconds(&key("window_seconds"), 1..=86_400);
    let holds = reader.one_of(&key("mode"), &[("refuse", false), ("wait", true)]);
    let max_wait = reader.millis(&key("max_wait_ms"), 1..=10_000);
    let max_waiting = reader.number(&key("max_waiting"), 1..=1000_u32);
    let mut policy = Policy { name: name.into(), limit: limit?, window: window?, patience: Duration::ZERO };
    let (max_wait, max_waiting) = (max_wait?, max_waiting?);
    if holds? {
        // So many wait at a time as there are shares of the window until the last may go on.
        let queue = Duration::from_micros(Pace::of(&policy).interval) * max_waiting;
        policy.patience = max_wait.min(queue);
    }
    Some(LimitRule { applies_to: applies_to?, scope: scope?, policy })
}

fn applies_to(reader: &mut Reader<'_>, key: &str, operations: &BTreeMap<String, String>) -> Option<Vec<String>> {
    let named = reader.list(key);
    if named.is_empty() {
        reader.fault(key, "must name operations, such as list_products, or paths by their beginning, such as /api/");
        return None;
    }
    for one in &named {
        let rule = |(id, path): (&String, &String)| LimitRule::counts_one(one, id, path);
        if !operations.iter().any(rule) {
            let near = nearest(one, operations.keys().map(String::as_str));
            let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
            reader.fault(key, format!("{one:?} is no operation and no path{near}"));
            return None;
        }
    }
    Some(named)
}
