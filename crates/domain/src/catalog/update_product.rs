//! Changing a product.

use super::{
    Product, ProductPatch, Slug, Version,
    create_product::{images, unknown_category},
    events, policy,
    ports::Stored,
};
use crate::{
    error::{Error, Result},
    id::ProductId,
    permission::{Authorized, WriteProducts},
    shop::Shop,
};

/// Changes a product of the caller's. With `expected`, only if it still has that version; without, the change runs
/// against the version it reads, and a lost race is told all the same (ruling R16).
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`] "You cannot edit this product", [`Error::Stale`],
/// [`Error::Invalid`] for an unknown category, [`Error::Conflict`] when the seller uses the sku already.
pub async fn update_product(
    shop: &Shop,
    by: Authorized<WriteProducts>,
    id: ProductId,
    patch: ProductPatch,
    expected: Option<Version>,
) -> Result<Product> {
    let principal = by.principal();
    let patch = &patch;
    shop.write("update_product", |mut tx| async move {
        let before = tx.products().find(id).await?.ok_or(Error::NotFound("Product"))?;
        policy::may_change(principal, &before)?;
        if before.deleted.is_some() {
            return Err(Error::NotFound("Product"));
        }
        if expected.is_some_and(|version| version != before.version) {
            return Err(Error::Stale("Product"));
        }
        if let Some(Some(category)) = patch.category
            && tx.categories().find(category).await?.is_none()
        {
            return Err(unknown_category());
        }
        let mut after = patch.applied_to(shop, &before);
        if after.stock != before.stock {
            let delta = after.stock - before.stock;
            let now = tx.now();
            // The stock has no version: what was read must still be on hand.
            tx.products().add_stock(id, delta, Some(before.stock), now).await?.ok_or(Error::Stale("Product"))?;
        }
        let mut stored = tx.products().update(&after, before.version).await?;
        if stored == Stored::SlugTaken {
            after.slug = after.slug.with_suffix(id.0);
            stored = tx.products().update(&after, before.version).await?;
        }
        stored.or_conflict()?;
        shop.record(&mut *tx, Some(principal.user), events::updated(&before, &after)).await?;
        tx.commit(after).await
    })
    .await
}

impl ProductPatch {
    /// The product after this change, one version on.
    pub(super) fn applied_to(&self, shop: &Shop, before: &Product) -> Product {
        let mut after = before.clone();
        if let Some(name) = &self.name {
            // A slug made unique by a suffix stays while the words stay.
            if Slug::of(name) != Slug::of(&before.name) {
                after.slug = Slug::of(name);
            }
            after.name.clone_from(name);
        }
        if let Some(description) = &self.description {
            after.description.clone_from(description);
        }
        if let Some(images_now) = &self.images {
            after.images = images(shop, images_now);
        }
        if let Some(metadata) = &self.metadata {
            after.metadata.clone_from(metadata);
        }
        if let Some(sku) = &self.sku {
            after.sku.clone_from(sku);
        }
        after.price = self.price.unwrap_or(before.price);
        after.stock = self.stock.unwrap_or(before.stock);
        after.category = self.category.unwrap_or(before.category);
        after.status = self.status.unwrap_or(before.status);
        after.version = before.version.next();
        after.updated_at = shop.now();
        after
    }
}
