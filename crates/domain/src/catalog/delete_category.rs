//! Deleting a category.

use super::{Product, Version, events};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::{CategoryId, ProductId, UserId},
    permission::{Authorized, ManageCatalog},
    shop::{Shop, Unit},
};

/// How many moved products are read at once, well below what a statement may carry.
const READ_AT_ONCE: usize = 500;

/// What becomes of the products of a category that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductsWithin {
    /// While there are any, the category stays.
    Refuse,
    /// They move to the category above, or to none from the top.
    MoveUp,
}

/// Deletes a category without children. With `expected`, only if it was last changed at that moment. Every product
/// moved has its own audit row and event. Products that are deleted move too, so that they can be restored.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Conflict`] while children, or products not to be moved, are in it.
pub async fn delete_category(
    shop: &Shop,
    by: Authorized<ManageCatalog>,
    id: CategoryId,
    products: ProductsWithin,
    expected: Option<Timestamp>,
) -> Result<()> {
    let user = by.principal().user;
    shop.write("delete_category", |mut tx| async move {
        tx.categories().lock_tree().await?;
        let category = tx.categories().find(id).await?.ok_or(Error::NotFound("Category"))?;
        if expected.is_some_and(|expected| expected != category.updated_at) {
            return Err(Error::Stale("Category"));
        }
        if tx.categories().has_children(id).await? {
            return Err(Error::conflict("This category has categories below it; move or delete them first"));
        }
        if products == ProductsWithin::Refuse && tx.products().any_in(id).await? {
            return Err(Error::conflict("This category has products in it; ask to move them up, or move them first"));
        }
        let now = tx.now();
        let moved = tx.products().move_category(id, category.parent, now).await?;
        record_moves(shop, &mut tx, user, id, &moved).await?;
        tx.categories().delete(id).await?;
        shop.record(&mut *tx, Some(user), events::category::deleted(&category, moved.len())).await?;
        tx.commit(()).await
    })
    .await
}

async fn record_moves<T>(
    shop: &Shop,
    tx: &mut Unit<'_, T>,
    user: UserId,
    from: CategoryId,
    moved: &[ProductId],
) -> Result<()> {
    for ids in moved.chunks(READ_AT_ONCE) {
        for after in tx.products().find_many(ids).await? {
            let version = Version(after.version.0 - 1);
            let before = Product { category: Some(from), version, ..after.clone() };
            shop.record(&mut **tx, Some(user), events::updated(&before, &after)).await?;
        }
    }
    Ok(())
}
