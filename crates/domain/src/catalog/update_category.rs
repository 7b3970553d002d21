//! Renaming, ranking and moving a category.

use std::time::Duration;

use super::{
    Category, CategoryPatch, Slug,
    category_input::{parent_in, refuse_deeper, refuse_twin},
    create_category::slug_taken,
    events,
};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::CategoryId,
    permission::{Authorized, ManageCatalog},
    shop::Shop,
};

/// Changes a category; all below it moves with it. With `expected`, only if it was last changed at that moment.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Conflict`] when a sibling has the name, [`Error::Invalid`] when the
/// new parent is unknown, is the category itself or below it, or would make the tree too deep.
pub async fn update_category(
    shop: &Shop,
    by: Authorized<ManageCatalog>,
    id: CategoryId,
    patch: CategoryPatch,
    expected: Option<Timestamp>,
) -> Result<Category> {
    let user = by.principal().user;
    let patch = &patch;
    shop.write("update_category", |mut tx| async move {
        tx.categories().lock_tree().await?;
        let tree = tx.categories().all().await?;
        let before = tree.iter().find(|category| category.id == id).ok_or(Error::NotFound("Category"))?;
        if expected.is_some_and(|expected| expected != before.updated_at) {
            return Err(Error::Stale("Category"));
        }
        let mut after = patch.applied_to(before, &tree)?;
        after.updated_at = later(tx.now(), before.updated_at);
        refuse_twin(&tree, &after)?;
        if !tx.categories().update(&after, &before.path).await? {
            after.slug = Slug::of(&after.name).with_suffix(id.0).to_string();
            if !tx.categories().update(&after, &before.path).await? {
                return Err(slug_taken());
            }
        }
        shop.record(&mut *tx, Some(user), events::category::updated(before, &after)).await?;
        tx.commit(after).await
    })
    .await
}

impl CategoryPatch {
    fn applied_to(&self, before: &Category, tree: &[Category]) -> Result<Category> {
        let mut after = before.clone();
        if let Some(name) = &self.name {
            // A slug made unique by a suffix stays while the words stay.
            if Slug::of(name) != Slug::of(&before.name) {
                after.slug = Slug::of(name).to_string();
            }
            after.name.clone_from(name);
        }
        if let Some(rank) = self.rank {
            after.rank = rank;
        }
        if let Some(parent) = self.parent {
            let parent = parent_in(tree, parent)?;
            if parent.is_some_and(|parent| parent.is_within(before)) {
                return Err(Error::invalid("/parentId", "ring", "must not be the category itself or one below it"));
            }
            after.parent = parent.map(|parent| parent.id);
            after.path = Category::path_below(parent, before.id);
            let deepest = tree.iter().filter(|other| other.is_within(before)).map(Category::depth).max();
            refuse_deeper(after.depth() + deepest.unwrap_or_default().saturating_sub(before.depth()))?;
        }
        Ok(after)
    }
}

/// A moment of change that differs from the one before even if the clock stood still: readers compare them.
pub(super) fn later(now: Timestamp, before: Timestamp) -> Timestamp {
    now.max(before + Duration::from_micros(1))
}
