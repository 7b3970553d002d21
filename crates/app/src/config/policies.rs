//! `[limits.policies.<name>]`: rate limits beside those that every shop has (ruling R6).

use std::{collections::BTreeMap, time::Duration};

use api::{LimitRule, LimitScope};
use domain::limit::{Pace, Policy};

use super::{Reader, limits, report::nearest};

/// What all their names begin with.
const SECTION: &str = "limits.policies.";
/// And in the environment.
const VARIABLES: &str = "SOUK__LIMITS__POLICIES__";
/// What there is to say of one, and what holds when it is not said.
const FIELDS: [(&str, &str); 7] = [
    ("applies_to", ""),
    ("by", "actor"),
    ("limit", ""),
    ("window_seconds", "60"),
    ("mode", "refuse"),
    ("max_wait_ms", "1000"),
    ("max_waiting", "10"),
];

/// The name of the policy that a key such as `limits.policies.search.limit` belongs to; `None` for any other key.
pub(super) fn named(key: &str) -> Option<&str> {
    let (name, field) = key.strip_prefix(SECTION)?.split_once('.')?;
    let known = FIELDS.iter().any(|(known, _)| *known == field);
    (known && is_name(name)).then_some(name)
}

/// The key of a variable such as `SOUK__LIMITS__POLICIES__SEARCH__LIMIT`.
pub(super) fn key_of(variable: &str) -> Option<String> {
    let (name, field) = variable.strip_prefix(VARIABLES)?.split_once("__")?;
    let key = format!("{SECTION}{}.{}", name.to_lowercase(), field.to_lowercase());
    named(&key)?;
    Some(key)
}

/// All keys of a policy with what holds when nothing is said.
pub(super) fn defaults(name: &str) -> impl Iterator<Item = (String, &'static str)> {
    FIELDS.iter().map(move |(field, default)| (format!("{SECTION}{name}.{field}"), *default))
}

/// What might have been meant by a key that is not known.
pub(super) fn near(key: &str) -> Option<String> {
    let (name, field) = key.strip_prefix(SECTION)?.split_once('.')?;
    nearest(field, FIELDS.iter().map(|(known, _)| *known)).map(|near| format!("{SECTION}{name}.{near}"))
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.len() <= 40 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(fits)
}

/// Reads every policy that has a name in some layer.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Vec<LimitRule>> {
    let names = reader.names(named);
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
