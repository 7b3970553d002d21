//! What an administrator sends to make or change a category, and the rules it must keep.

use super::Category;
use crate::{
    error::{Breach, Error, Result, Violations},
    id::CategoryId,
    text,
};

/// A category as sent, unchecked.
#[derive(Debug, Clone, Default)]
pub struct CategoryInput {
    /// Required, 1 to 100 characters.
    pub name: Option<String>,
    /// The category above it; at the top when absent.
    pub parent: Option<CategoryId>,
    /// Its place among its siblings; 0 when absent.
    pub rank: Option<i32>,
}

/// A checked [`CategoryInput`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCategory {
    pub(super) name: String,
    pub(super) parent: Option<CategoryId>,
    pub(super) rank: i32,
}

impl CategoryInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(self, violations: &mut Violations) -> Option<NewCategory> {
        let name = match self.name {
            Some(name) => violations.check("/name", name_rule(&name)),
            None => violations.missing("/name"),
        };
        Some(NewCategory { name: name?, parent: self.parent, rank: self.rank.unwrap_or_default() })
    }
}

/// A change of a category: what is absent stays; `Some(None)` as parent moves it to the top.
#[expect(clippy::option_option, reason = "absent, emptied and set are three different wishes")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CategoryPatch {
    pub(super) name: Option<String>,
    pub(super) parent: Option<Option<CategoryId>>,
    pub(super) rank: Option<i32>,
}

impl CategoryPatch {
    /// Takes a new name.
    pub fn name(&mut self, name: &str, violations: &mut Violations) {
        self.name = violations.check("/name", name_rule(name));
    }

    /// Takes a new place in the tree: below a category, or at the top.
    pub fn parent(&mut self, parent: Option<CategoryId>) {
        self.parent = Some(parent);
    }

    /// Takes a new place among its siblings.
    pub fn rank(&mut self, rank: i32) {
        self.rank = Some(rank);
    }
}

pub(super) fn name_rule(name: &str) -> Result<String, Breach> {
    text::line(name, 1, Category::NAME_MAX)
}

/// The category a new or moved one is to stand below.
///
/// # Errors
/// [`Error::Invalid`] when there is none of that id.
pub(super) fn parent_in(tree: &[Category], id: Option<CategoryId>) -> Result<Option<&Category>> {
    let Some(id) = id else { return Ok(None) };
    let found = tree.iter().find(|category| category.id == id);
    found.map(Some).ok_or_else(|| {
        Error::invalid("/parentId", "exists", "must be the id of a category; GET /api/v1/categories lists them")
    })
}

/// Refuses a name that a sibling has: two that read alike cannot be told apart in a menu.
pub(super) fn refuse_twin(tree: &[Category], category: &Category) -> Result<()> {
    let beside = |other: &&Category| other.id != category.id && other.parent == category.parent;
    let name = category.name.to_lowercase();
    if tree.iter().filter(beside).any(|other| other.name.to_lowercase() == name) {
        return Err(Error::conflict("Another category of this name stands beside it; choose another name"));
    }
    Ok(())
}

/// Refuses a tree that would be too deep.
pub(super) fn refuse_deeper(levels: usize) -> Result<()> {
    if levels > Category::DEPTH_MAX {
        let most = Category::DEPTH_MAX;
        return Err(Error::invalid("/parentId", "max_depth", format!("must keep the tree within {most} levels")));
    }
    Ok(())
}
