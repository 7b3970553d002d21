//! A file of a product.

use std::fmt;

use super::MediaType;
use crate::{
    assets::{Digest, Holder, ports::Reach},
    clock::Timestamp,
    error::Breach,
    id::{FileId, ProductId, SellerId, UserId},
};

/// Most characters of a name.
pub const NAME_MAX: usize = 255;

/// Most characters of a licence.
pub const LICENCE_MAX: usize = 2_000;

/// What a file is called. It is shown and given to who takes the file away, and names nothing in any store of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// A name: 1 to [`NAME_MAX`] characters of any script, no control characters, no folder, and more than dots and spaces.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn new(text: &str) -> Result<Self, Breach> {
        if !(1..=NAME_MAX).contains(&text.chars().count()) {
            return Err(Breach::new("length", format!("must have 1 to {NAME_MAX} characters")));
        }
        if text.chars().any(char::is_control) {
            return Err(Breach::new("control_character", "must not contain control characters"));
        }
        if text.contains(['/', '\\']) {
            return Err(Breach::new("path", "must be the name of a file, without any folder"));
        }
        if text.chars().all(|c| c == '.' || c.is_whitespace()) {
            return Err(Breach::new("blank", "must have more than dots and spaces"));
        }
        Ok(Self(text.to_owned()))
    }

    /// A name that was checked when it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is said of a file that is brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its name.
    pub name: FileName,
    /// What it is said to be.
    pub media_type: MediaType,
    /// Under which terms it is given.
    pub licence: Option<String>,
    /// For whom it is.
    pub reach: Reach,
}

/// A file of a product. Its bytes never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductFile {
    /// Its id.
    pub id: FileId,
    /// The product.
    pub product: ProductId,
    /// The seller account whose product it was when it was brought, and for which it counts.
    pub seller: SellerId,
    /// Who brought it, and for whom it counts.
    pub uploaded_by: UserId,
    /// Its bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// What was said of it.
    pub told: NewFile,
    /// How often it was taken away; telemetry, which may lag.
    pub downloads: u64,
    /// When it was brought.
    pub created_at: Timestamp,
}

impl ProductFile {
    /// For whom its bytes count.
    pub fn holders(&self) -> [Holder; 2] {
        [Holder::Person(self.uploaded_by), Holder::Seller(self.seller)]
    }

    /// Whether it is for whoever may see its product.
    pub fn is_public(&self) -> bool {
        self.told.reach == Reach::Public
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_any_script_and_lead_nowhere() {
        for good in ["a", "Bauplan (final).stl", "模型.3mf", "été\u{301}.pdf", "..stl", "a\u{202e}b", &"ü".repeat(255)]
        {
            assert_eq!(FileName::new(good).unwrap().as_str(), good);
        }
        let long = "x".repeat(256);
        for (bad, rule) in [
            ("", "length"),
            (long.as_str(), "length"),
            ("a\0b", "control_character"),
            ("a\r\nb", "control_character"),
            ("\u{85}", "control_character"),
            ("../etc/passwd", "path"),
            ("a\\b", "path"),
            ("..", "blank"),
            (". \u{3000}", "blank"),
        ] {
            assert_eq!(FileName::new(bad).unwrap_err().rule, rule, "{bad:?}");
        }
    }
}
