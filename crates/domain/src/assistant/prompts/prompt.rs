//! A prompt, its versions, and what may be sent to make or change one.

use super::{PromptContent, Split};
use crate::{
    catalog::Version,
    clock::Timestamp,
    error::{Breach, Error, Result, Violations},
    id::{PromptId, UserId},
    secrets::Mac,
    text,
};

/// Most characters of what a prompt is for.
const DESCRIPTION_MAX: usize = 2_000;

/// The number of a version of a prompt, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct VersionNumber(pub i64);

/// A prompt: what the shop asks of models, under a name that callers know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Its id.
    pub id: PromptId,
    /// Its name, which stays.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it is put away: it serves nobody.
    pub is_archived: bool,
    /// The number of the latest version; `None` before the first.
    pub latest: Option<VersionNumber>,
    /// Which versions serve; `None` before the first split.
    pub split: Option<Split>,
    /// How often it was changed, from 1.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Prompt {
    /// The number of the version that serves somebody.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it is put away, or no version serves yet.
    pub fn serving(&self, mac: &dyn Mac, subject: &str) -> Result<VersionNumber> {
        if self.is_archived {
            return Err(Error::conflict(format!(
                "The prompt {} is put away; ask for a version of it by number",
                self.name
            )));
        }
        let serving = self.split.as_ref().and_then(|split| split.serving(mac, self.id, subject));
        let nothing =
            || Error::conflict(format!("No version of the prompt {} serves; set a split of it first", self.name));
        serving.ok_or_else(nothing)
    }
}

/// A version of a prompt. It is never changed.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptVersion {
    /// The prompt.
    pub prompt: PromptId,
    /// Its number.
    pub number: VersionNumber,
    /// What it says.
    pub content: PromptContent,
    /// Who wrote it.
    pub written_by: UserId,
    /// When.
    pub written_at: Timestamp,
}

/// The version of a prompt whose words somebody goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptUse {
    /// The prompt.
    pub prompt: PromptId,
    /// The version.
    pub version: VersionNumber,
}

/// What makes a prompt, unchecked.
#[derive(Debug, Clone, Default)]
pub struct PromptInput {
    /// Its name.
    pub name: Option<String>,
    /// What it is for; nothing when absent.
    pub description: Option<String>,
}

/// A checked [`PromptInput`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrompt {
    pub(super) name: String,
    pub(super) description: String,
}

impl PromptInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(self, violations: &mut Violations) -> Option<NewPrompt> {
        let name = match self.name {
            Some(name) => violations.check("/name", prompt_name(&name)),
            None => violations.missing("/name"),
        };
        let description = violations.check("/description", description(&self.description.unwrap_or_default()));
        Some(NewPrompt { name: name?, description: description? })
    }
}

/// A change of a prompt: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PromptPatch {
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is put away.
    pub is_archived: Option<bool>,
}

impl PromptPatch {
    /// Checks every field; breaches go to `violations`.
    pub fn check(self, violations: &mut Violations) -> Option<Self> {
        match &self.description {
            Some(given) => violations.check("/description", description(given)).map(|_| self),
            None => Some(self),
        }
    }
}

/// Whether a text is the name of a prompt.
pub(super) fn prompt_name(name: &str) -> Result<String, Breach> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(name.to_owned());
    }
    Err(Breach::new("pattern", "must have 1 to 64 of small letters, digits, dashes and underscores"))
}

fn description(given: &str) -> Result<String, Breach> {
    text::paragraph(given, 0, DESCRIPTION_MAX)
}
