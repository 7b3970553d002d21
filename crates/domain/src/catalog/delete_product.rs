//! Deleting a product so that it can be restored, and restoring it.

use super::{Product, Slug, Version, events, policy, ports::Stored, product::Deleted};
use crate::{
    error::{Error, Result},
    id::ProductId,
    permission::{Authorized, WriteProducts},
    shop::Shop,
};

/// Deletes a product of the caller's. It leaves every list at once; its slug and sku are free; until it is purged it
/// can be restored.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Stale`].
pub async fn delete_product(
    shop: &Shop,
    by: Authorized<WriteProducts>,
    id: ProductId,
    expected: Option<Version>,
) -> Result<()> {
    let principal = by.principal();
    shop.write("delete_product", |mut tx| async move {
        let mut product = tx.products().find(id).await?.ok_or(Error::NotFound("Product"))?;
        policy::may_change(principal, &product)?;
        if product.deleted.is_some() {
            return Err(Error::NotFound("Product"));
        }
        let read = product.version;
        if expected.is_some_and(|version| version != read) {
            return Err(Error::Stale("Product"));
        }
        let now = tx.now();
        product.deleted = Some(Deleted { at: now, by: principal.user });
        product.version = read.next();
        product.updated_at = now;
        tx.products().update(&product, read).await?.or_conflict()?;
        shop.record(&mut *tx, Some(principal.user), events::deleted(&product)).await?;
        tx.commit(()).await
    })
    .await
}

/// Brings a deleted product back, under its old slug when that is still free.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`] when it is not deleted or its sku is in use by now.
pub async fn restore_product(shop: &Shop, by: Authorized<WriteProducts>, id: ProductId) -> Result<Product> {
    let principal = by.principal();
    shop.write("restore_product", |mut tx| async move {
        let mut product = tx.products().find(id).await?.ok_or(Error::NotFound("Product"))?;
        policy::may_change(principal, &product)?;
        if product.deleted.is_none() {
            return Err(Error::conflict("This product is not deleted"));
        }
        let read = product.version;
        product.deleted = None;
        product.version = read.next();
        product.updated_at = tx.now();
        let mut stored = tx.products().update(&product, read).await?;
        if stored == Stored::SlugTaken {
            product.slug = Slug::of(&product.name).with_suffix(id.0);
            stored = tx.products().update(&product, read).await?;
        }
        stored.or_conflict()?;
        shop.record(&mut *tx, Some(principal.user), events::restored(&product)).await?;
        tx.commit(product).await
    })
    .await
}
