//! Prompts and their splits as JSON.

use chrono::{DateTime, Utc};
use domain::assistant::prompts::{Prompt, PromptInput, PromptPatch, ShareInput, Split, SplitInput};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::Fields;

/// How often a version serves.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = PromptShare)]
pub struct ShareView {
    /// The number of the version.
    #[schema(example = 1, minimum = 1, maximum = 2_147_483_647)]
    pub version: i64,
    /// Its weight beside those of the others: 90 and 10 are nine tenths and one.
    #[schema(example = 100, minimum = 1, maximum = 10_000)]
    pub weight: u32,
}

/// Which versions serve, or served.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromptSplit)]
#[serde(rename_all = "camelCase")]
pub struct SplitView {
    /// Its number among the splits of the prompt, from 1.
    #[schema(example = 1, minimum = 1)]
    pub number: i64,
    /// The number of the split that it brought back; null for a new one.
    #[schema(example = 1, minimum = 1)]
    pub brought_back: Option<i64>,
    /// The versions.
    pub shares: Vec<ShareView>,
    /// Who set it.
    pub set_by: Uuid,
    /// When.
    pub set_at: DateTime<Utc>,
}

impl From<&Split> for SplitView {
    fn from(split: &Split) -> Self {
        let share =
            |share: &domain::assistant::prompts::Share| ShareView { version: share.version.0, weight: share.weight };
        Self {
            number: split.number,
            brought_back: (split.origin != split.number).then_some(split.origin),
            shares: split.shares.iter().map(share).collect(),
            set_by: split.set_by.0,
            set_at: split.set_at,
        }
    }
}

/// A prompt of the shop.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Prompt)]
#[serde(rename_all = "camelCase")]
pub struct PromptView {
    /// Its id.
    pub id: Uuid,
    /// Its name, which callers know.
    #[schema(example = "write-listing")]
    pub name: String,
    /// What it is for.
    #[schema(example = "Writes the listing of a product for its seller")]
    pub description: String,
    /// Whether it is put away: it serves nobody.
    #[schema(example = false)]
    pub archived: bool,
    /// The number of its latest version; null before the first.
    #[schema(example = 2, minimum = 1)]
    pub latest_version: Option<i64>,
    /// Which versions serve; null before that was said.
    pub split: Option<SplitView>,
    /// How often it was changed, from 1; versions and splits count.
    #[schema(example = 1, minimum = 1)]
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<&Prompt> for PromptView {
    fn from(prompt: &Prompt) -> Self {
        Self {
            id: prompt.id.0,
            name: prompt.name.clone(),
            description: prompt.description.clone(),
            archived: prompt.is_archived,
            latest_version: prompt.latest.map(|latest| latest.0),
            split: prompt.split.as_ref().map(SplitView::from),
            version: prompt.version.0,
            created_at: prompt.created_at,
            updated_at: prompt.updated_at,
        }
    }
}

/// What makes a prompt. What it says is written in versions.
#[derive(Debug, ToSchema)]
#[schema(as = NewPrompt)]
pub struct PromptBody {
    /// Its name, which callers know; it stays.
    #[schema(example = "write-listing", pattern = "^[a-z0-9_-]{1,64}$")]
    pub name: String,
    /// What it is for.
    #[schema(example = "Writes the listing of a product for its seller", max_length = 2000, format = "paragraph")]
    pub description: Option<String>,
}

/// Reads a [`PromptBody`].
pub(super) fn new_prompt(fields: &mut Fields<'_>) -> PromptInput {
    PromptInput { name: fields.text("name"), description: fields.text("description") }
}

/// A change of a prompt: what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(as = PromptPatch)]
pub struct PromptPatchBody {
    /// What it is for.
    #[schema(example = "Writes listings", max_length = 2000, format = "paragraph", nullable = false)]
    pub description: Option<String>,
    /// Whether it is put away: it serves nobody.
    #[schema(example = false, nullable = false)]
    pub archived: Option<bool>,
}

/// Reads a [`PromptPatchBody`].
pub(super) fn prompt_patch(fields: &mut Fields<'_>) -> PromptPatch {
    fields.of_a_change();
    PromptPatch { description: fields.text("description"), is_archived: fields.boolean("archived") }
}

/// Which versions are to serve. One alone is published to everybody.
#[derive(Debug, ToSchema)]
#[schema(as = NewPromptSplit)]
pub struct SplitBody {
    /// The versions, each once.
    #[schema(min_items = 1, max_items = 10)]
    pub shares: Vec<ShareView>,
}

/// Reads a [`SplitBody`].
pub(super) fn new_split(fields: &mut Fields<'_>) -> Option<SplitInput> {
    let share = |fields: &mut Fields<'_>| {
        Some(ShareInput { version: fields.integer("version"), weight: fields.integer("weight") })
    };
    match fields.objects("shares", share) {
        Some(shares) => Some(SplitInput { shares }),
        None if fields.violations.is_empty() => fields.violations.missing("/shares"),
        None => None,
    }
}
