//! Creating a category.

use super::{
    Category, NewCategory, Slug,
    category_input::{parent_in, refuse_deeper, refuse_twin},
    events,
};
use crate::{
    error::{Error, Result},
    id::CategoryId,
    idempotency::{Once, Outcome},
    permission::{Authorized, ManageCatalog},
    shop::Shop,
};

/// Creates a category, below another or at the top.
///
/// # Errors
/// [`Error::Invalid`] for an unknown parent or a tree that would be too deep, [`Error::Conflict`] when a sibling has
/// the name.
pub async fn create_category(
    shop: &Shop,
    by: Authorized<ManageCatalog>,
    new: NewCategory,
    once: &Once<'_, Category>,
) -> Result<Outcome<Category>> {
    let user = by.principal().user;
    let new = &new;
    shop.write_once("create_category", once, |mut tx| async move {
        tx.categories().lock_tree().await?;
        let tree = tx.categories().all().await?;
        let parent = parent_in(&tree, new.parent)?;
        let id = shop.id::<CategoryId>();
        let base = Slug::of(&new.name);
        let now = tx.now();
        let mut category = Category {
            id,
            parent: new.parent,
            name: new.name.clone(),
            slug: base.to_string(),
            path: Category::path_below(parent, id),
            rank: new.rank,
            created_at: now,
            updated_at: now,
        };
        refuse_deeper(category.depth())?;
        refuse_twin(&tree, &category)?;
        if !tx.categories().insert(&category).await? {
            category.slug = base.with_suffix(id.0).to_string();
            if !tx.categories().insert(&category).await? {
                return Err(slug_taken());
            }
        }
        shop.record(&mut *tx, Some(user), events::category::created(&category)).await?;
        tx.commit(category).await
    })
    .await
}

pub(super) fn slug_taken() -> Error {
    Error::conflict("Another category has this slug; retry")
}
