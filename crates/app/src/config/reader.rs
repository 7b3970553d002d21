//! Turns texts into values, noting every fault under the name its user gave.

use std::{collections::BTreeSet, fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use super::{Faults, Layers, Profile, layers::Origin};

/// Reads settings for the sections.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    layers: &'a Layers,
    faults: Faults,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(layers: &'a Layers) -> Self {
        Self { layers, faults: layers.faults.clone() }
    }

    pub(crate) fn into_faults(self) -> Faults {
        self.faults
    }

    /// True in the strict profile.
    pub(crate) fn strict(&self) -> bool {
        self.layers.profile() == Profile::Production
    }

    /// The text of a setting; empty when it is not set.
    pub(crate) fn text(&self, key: &str) -> String {
        self.layers.value(key).map(|(text, _)| text.to_owned()).unwrap_or_default()
    }

    /// Whether somebody set it, or the default stands.
    pub(crate) fn is_set(&self, key: &str) -> bool {
        self.layers.value(key).is_some_and(|(_, origin)| !matches!(origin, Origin::Default(_)))
    }

    /// Whether a file set it.
    pub(crate) fn is_from_file(&self, key: &str) -> bool {
        self.layers.value(key).is_some_and(|(_, origin)| matches!(origin, Origin::File(_)))
    }

    /// The names that keys hold, each once, as `of` finds them.
    pub(crate) fn names(&self, of: fn(&str) -> Option<&str>) -> BTreeSet<String> {
        self.layers.keys().filter_map(of).map(str::to_owned).collect()
    }

    /// Notes a fault of a setting.
    pub(crate) fn fault(&mut self, key: &str, message: impl Into<String>) {
        let name = match self.layers.value(key) {
            Some((_, origin)) => format!("{key} ({origin})"),
            None => key.to_owned(),
        };
        self.faults.add(name, message);
    }

    /// A value of any type that reads from text.
    pub(crate) fn value<T: FromStr>(&mut self, key: &str) -> Option<T>
    where
        T::Err: Display,
    {
        let text = self.text(key);
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(key, format!("{text:?} does not fit: {error}"));
                None
            }
        }
    }

    /// A number within bounds.
    pub(crate) fn number<T>(&mut self, key: &str, range: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + Display,
    {
        let text = self.text(key);
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.fault(key, format!("must be a number from {} to {}, is {text:?}", range.start(), range.end()));
        }
        number
    }

    /// A time in seconds.
    pub(crate) fn seconds(&mut self, key: &str, range: RangeInclusive<u64>) -> Option<Duration> {
        self.number(key, range).map(Duration::from_secs)
    }

    /// A time in milliseconds.
    pub(crate) fn millis(&mut self, key: &str, range: RangeInclusive<u64>) -> Option<Duration> {
        self.number(key, range).map(Duration::from_millis)
    }

    /// One of several words.
    pub(crate) fn one_of<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key).to_lowercase();
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.fault(key, format!("must be one of {}, is {text:?}", known.join(", ")));
        }
        found
    }

    /// True or false.
    pub(crate) fn flag(&mut self, key: &str) -> Option<bool> {
        self.one_of(key, &[("true", true), ("false", false)])
    }

    /// Values separated by commas.
    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        self.text(key).split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }
}
