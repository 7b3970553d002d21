//! What is sent to make or change a room, and the rules it must keep.

use super::RoomKind;
use crate::{
    error::{Breach, Violations},
    text,
};

/// Most characters of a title.
const TITLE_MAX: usize = 100;
/// Most characters of a name.
const NAME_MAX: usize = 64;

/// The name of a room: 1 to 64 of `a-z`, `0-9` and single hyphens between them; never the form of an id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomName(String);

impl RoomName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, Breach> {
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let fits = text.len() <= NAME_MAX && text.split('-').all(word);
        if !fits {
            return Err(Breach::new(
                "room_name",
                "must have 1 to 64 of the characters a-z, 0-9 and single hyphens between them",
            ));
        }
        if uuid::Uuid::try_parse(text).is_ok() {
            return Err(Breach::new("room_name", "must not look like an id"));
        }
        Ok(Self(text.to_owned()))
    }

    /// A name as it was stored.
    pub fn stored(name: String) -> Self {
        Self(name)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RoomName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A room as sent, unchecked.
#[derive(Debug, Clone, Default)]
pub struct RoomInput {
    /// Required.
    pub name: Option<String>,
    /// The name when absent.
    pub title: Option<String>,
    /// Public when absent.
    pub kind: Option<RoomKind>,
}

/// A checked [`RoomInput`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRoom {
    pub(super) name: RoomName,
    pub(super) title: String,
    pub(super) kind: RoomKind,
}

impl RoomInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(self, violations: &mut Violations) -> Option<NewRoom> {
        let name = match &self.name {
            Some(name) => violations.check("/name", RoomName::parse(name)),
            None => violations.missing("/name"),
        };
        let title = match (self.title, &name) {
            (Some(title), _) => violations.check("/title", title_rule(&title)),
            (None, name) => name.as_ref().map(ToString::to_string),
        };
        Some(NewRoom { name: name?, title: title?, kind: self.kind.unwrap_or(RoomKind::Public) })
    }
}

/// A change of a room: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomPatch {
    pub(super) title: Option<String>,
    pub(super) kind: Option<RoomKind>,
}

impl RoomPatch {
    /// Takes another title.
    pub fn title(&mut self, title: &str, violations: &mut Violations) {
        self.title = violations.check("/title", title_rule(title));
    }

    /// Takes another kind.
    pub fn kind(&mut self, kind: RoomKind) {
        self.kind = Some(kind);
    }
}

fn title_rule(title: &str) -> Result<String, Breach> {
    text::line(title, 1, TITLE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_with_hyphens() {
        for name in ["a", "general", "lamps-2026", "0", &"x".repeat(64)] {
            assert!(RoomName::parse(name).is_ok(), "{name}");
        }
        let id = "0190f5fe-7c00-7a00-8000-0123456789ab";
        for name in ["", "-", "a-", "-a", "a--b", "A", "a b", "ä", "a_b", id, &"x".repeat(65), "a\0"] {
            assert!(RoomName::parse(name).is_err(), "{name:?}");
        }
        // Hexadecimal without hyphens is an id for some readers.
        assert!(RoomName::parse(&id.replace('-', "")).is_err());
    }

    #[test]
    fn every_fault_is_told() {
        let mut violations = Violations::default();
        let input = RoomInput { name: Some("No".into()), title: Some(" ".into()), kind: None };
        assert!(input.check(&mut violations).is_none());
        let fields: Vec<_> = violations.iter().map(|one| one.field.clone()).collect();
        assert_eq!(fields, ["/name", "/title"]);
        let mut violations = Violations::default();
        assert!(RoomInput::default().check(&mut violations).is_none());
        assert_eq!(violations.iter().count(), 1);
    }
}
