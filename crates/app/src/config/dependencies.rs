//! `[dependencies.<name>]`: on which terms those are called whom the shop stands on.

use std::collections::BTreeMap;

use integrations::resilience::{BreakerTerms, Kind, Terms};

use super::{
    Reader,
    family::{Family, Field},
    report::nearest,
};

/// The sections; what is not said in one is as usual for its kind.
pub(super) const FAMILY: Family = Family {
    section: "dependencies.",
    variables: "SOUK__DEPENDENCIES__",
    fields: &[
        Field::new("timeout_ms", ""),
        Field::new("attempts", ""),
        Field::new("at_once", ""),
        Field::new("waiting", ""),
        Field::new("wait_ms", ""),
        Field::new("error_percent", ""),
        Field::new("volume", ""),
        Field::new("window_seconds", ""),
        Field::new("reset_seconds", ""),
    ],
};

/// Reads the terms of every kind that has a name in some layer.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<BTreeMap<Kind, Terms>> {
    let names = reader.names(|key| FAMILY.named(key));
    let read: Vec<_> = names.iter().map(|name| terms(reader, name)).collect();
    read.into_iter().collect()
}

fn terms(reader: &mut Reader<'_>, name: &str) -> Option<(Kind, Terms)> {
    let key = |field: &str| format!("dependencies.{name}.{field}");
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == name) else {
        let near = nearest(name, Kind::ALL.into_iter().map(Kind::name));
        let near = near.map_or_else(String::new, |near| format!("; did you mean dependencies.{near}?"));
        let known: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
        let told = FAMILY.first_set(reader, name).unwrap_or_else(|| key("timeout_ms"));
        reader.fault(&told, format!("nobody of this name is called, but {}{near}", known.join(", ")));
        return None;
    };
    let usual = kind.usual();
    // Nobody is waited for any longer, whatever is said.
    let longest = u64::try_from(Terms::LONGEST.as_millis()).unwrap_or(u64::MAX);
    let timeout = or(reader, &key("timeout_ms"), usual.timeout, |reader, key| reader.millis(key, 1..=longest));
    let attempts = or(reader, &key("attempts"), usual.attempts, |reader, key| reader.number(key, 1..=10));
    let at_once = or(reader, &key("at_once"), usual.at_once, |reader, key| reader.number(key, 1..=10_000));
    let waiting = or(reader, &key("waiting"), usual.waiting, |reader, key| reader.number(key, 0..=100_000));
    let wait = or(reader, &key("wait_ms"), usual.wait, |reader, key| reader.millis(key, 0..=longest));
    let breaker = usual.breaker;
    let percent = or(reader, &key("error_percent"), breaker.error_percent, |reader, key| reader.number(key, 1..=100));
    let volume = or(reader, &key("volume"), breaker.volume, |reader, key| reader.number(key, 1..=10_000));
    let window = or(reader, &key("window_seconds"), breaker.window, |reader, key| reader.seconds(key, 1..=3600));
    let reset = or(reader, &key("reset_seconds"), breaker.reset, |reader, key| reader.seconds(key, 1..=3600));
    let breaker = BreakerTerms { window: window?, volume: volume?, error_percent: percent?, reset: reset?, ..breaker };
    let (timeout, attempts, wait) = (timeout?, attempts?, wait?);
    Some((kind, Terms { timeout, attempts, at_once: at_once?, waiting: waiting?, wait, breaker }))
}

fn or<T>(
    reader: &mut Reader<'_>,
    key: &str,
    usual: T,
    read: impl FnOnce(&mut Reader<'_>, &str) -> Option<T>,
) -> Option<T> {
    if reader.text(key).is_empty() { Some(usual) } else { read(reader, key) }
}
