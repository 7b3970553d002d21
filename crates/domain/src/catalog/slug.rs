//! Names in URLs.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::text;

/// The most characters taken from a name; the suffix comes on top.
const NAME_MAX: usize = 80;

/// A name in a URL: folded tokens of a name joined by hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slug(String);

impl Slug {
    /// The slug of a name; `item` when the name has neither letter nor digit.
    pub fn of(name: &str) -> Self {
        let mut slug = String::new();
        for token in text::tokens(name) {
            let room = NAME_MAX.saturating_sub(slug.chars().count());
            if room < 2 {
                break;
            }
            if !slug.is_empty() {
                slug.push('-');
            }
            slug.extend(token.chars().take(room - 1));
        }
        if slug.is_empty() {
            slug.push_str("item");
        }
        Self(slug)
    }

    /// The slug made unique by the random tail of its owner's id.
    #[must_use]
    pub fn with_suffix(&self, id: Uuid) -> Self {
        let hex = id.simple().to_string();
        let tail = hex.get(24..).unwrap_or_default();
        Self(format!("{}-{tail}", self.0))
    }

    /// A slug as it was stored, or as it stands in a URL.
    pub fn stored(slug: impl Into<String>) -> Self {
        Self(slug.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_slug() {
        assert_eq!(Slug::of("Café “Été”, No. 5").as_str(), "cafe-ete-no-5");
        assert_eq!(Slug::of("!!!").as_str(), "item");
        assert!(Slug::of(&"word ".repeat(100)).as_str().chars().count() <= NAME_MAX);
    }

    #[test]
    fn a_suffix_makes_it_unique() {
        let id: Uuid = "0190f5fe-7c00-7a00-8000-0123456789ab".parse().unwrap();
        assert_eq!(Slug::of("Lamp").with_suffix(id).as_str(), "lamp-456789ab");
    }
}
