//! A node of the category tree.

use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, id::CategoryId};

/// A category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// The category above it; `None` at the top.
    pub parent: Option<CategoryId>,
    /// Its name, 1 to 100 characters, unique among its siblings.
    pub name: String,
    /// Its name in URLs, unique in the installation.
    pub slug: String,
    /// Ids from the top down to itself, each followed by `/`: what is below has this as prefix.
    pub path: String,
    /// Its place among its siblings; lower stands first.
    pub rank: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Category {
    /// The most characters of a name.
    pub const NAME_MAX: usize = 100;

    /// The most levels of the tree.
    pub const DEPTH_MAX: usize = 10;

    /// The path of a node below `parent`.
    pub fn path_below(parent: Option<&Self>, id: CategoryId) -> String {
        format!("{}{}/", parent.map(|parent| parent.path.as_str()).unwrap_or_default(), id.0.simple())
    }

    /// How many levels down from the top, counted from 1.
    pub fn depth(&self) -> usize {
        self.path.matches('/').count()
    }

    /// True when `other` is this category or stands above it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.path.starts_with(&other.path)
    }
}
