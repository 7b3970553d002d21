//! Renaming, ranking and moving a category.

use super::{
    Category, CategoryPatch, Slug,
    category_input::{parent_in, refuse_deeper, refuse_twin},
    create_category::slug_taken,
    events,
};
use crate::{
    clock::{Timestamp, later},
    error::{Error, Result},
    id::CategoryId,
    permission::{Authorized, ManageCatalog},
    shop::Shop,
};

/// Changes a category; all below it moves with it. With `expected`, only if it was last changed at one of those moments.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Conflict`] when a sibling has the name, [`Error::Invalid`] when the
/// new parent is unknown, is the category itself or below it, or would make the tree too deep.
pub async fn update_category(
    shop: &Shop,
    by: Authorized<ManageCatalog>,
    id: CategoryId,
    patch: CategoryPatch,
    expected: Option<&[Timestamp]>,
) -> Result<Category> {
    let user = by.principal().user;
    let patch = &patch;
    shop.write("update_category", |mut tx| async move {
        tx.categories().lock_tree().await?;
        let tree = tx.categories().all().await?;
        let before = tree.iter().find(|category| category.id == id).ok_or(Error::NotFound("Category"))?;
        if expected.is_some_and(|any| !any.contains(&before.updated_at)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Violations, catalog::ports::CategoryQueries, permission::Role, testing::Fixtures};

    fn below(parent: Option<CategoryId>) -> CategoryPatch {
        CategoryPatch { parent: Some(parent), ..CategoryPatch::default() }
    }

    #[tokio::test]
    async fn a_move_takes_what_is_below_along() {
        let (given, store) = Fixtures::in_memory();
        let admin = given.person(Role::Admin).await;
        let (a, b) = (given.stored_category(None).await, given.stored_category(None).await);
        let child = given.stored_category(Some(&a)).await;
        let by = given.authorized(&admin);
        let after = update_category(&given.shop, by, a.id, below(Some(b.id)), Some(&[a.updated_at])).await.unwrap();
        assert_eq!((after.parent, after.depth()), (Some(b.id), 2));
        assert!(after.updated_at > a.updated_at, "readers see the change even within one tick of the clock");
        let moved = CategoryQueries::get(&store, child.id).await.unwrap().unwrap().category;
        assert!(moved.is_within(&after) && moved.depth() == 3);
        assert_eq!(store.traces(), [("category.update".to_owned(), "category.updated".to_owned())]);
        let stale =
            update_category(&given.shop, given.authorized(&admin), a.id, below(None), Some(&[a.updated_at])).await;
        assert!(matches!(stale, Err(Error::Stale(_))));
    }

    #[tokio::test]
    async fn no_ring_no_unknown_parent_no_endless_depth() {
        let (given, store) = Fixtures::in_memory();
        let admin = given.person(Role::Admin).await;
        let top = given.stored_category(None).await;
        let mut chain = vec![given.stored_category(None).await];
        for level in 1..Category::DEPTH_MAX {
            let child = given.stored_category(Some(&chain[level - 1])).await;
            chain.push(child);
        }
        for (id, parent) in [
            (chain[0].id, chain[0].id),
            (chain[0].id, chain[9].id),
            (chain[0].id, top.id),
            (top.id, chain[9].id),
            (top.id, given.shop.id()),
        ] {
            let refused = update_category(&given.shop, given.authorized(&admin), id, below(Some(parent)), None).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        }
        let unknown = update_category(&given.shop, given.authorized(&admin), given.shop.id(), below(None), None).await;
        assert!(matches!(unknown, Err(Error::NotFound("Category"))));
        assert_eq!(store.traces(), []);
    }

    #[tokio::test]
    async fn siblings_have_different_names() {
        let (given, _) = Fixtures::in_memory();
        let admin = given.person(Role::Admin).await;
        let (a, b) = (given.stored_category(None).await, given.stored_category(None).await);
        let mut patch = CategoryPatch::default();
        patch.name(&a.name.to_uppercase(), &mut Violations::default());
        let twin = update_category(&given.shop, given.authorized(&admin), b.id, patch.clone(), None).await;
        assert!(matches!(twin, Err(Error::Conflict(_))));
        let below = given.stored_category(Some(&b)).await;
        let after = update_category(&given.shop, given.authorized(&admin), below.id, patch, None).await.unwrap();
        assert!(after.slug.starts_with(&a.slug) && after.slug != a.slug, "the slug is unique in the installation");
    }
}
