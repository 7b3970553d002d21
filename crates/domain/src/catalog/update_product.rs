//! Changing a product.

use super::{Product, ProductPatch, Slug, Version, create_product::unknown_category, events, policy, ports::Stored};
use crate::{
    assets::image::{let_go, linked},
    error::{Error, Result},
    id::ProductId,
    permission::{Authorized, WriteProducts},
    shop::Shop,
};

/// Changes a product of the caller's. With `expected`, only if it still has one of those versions; without, the change runs
/// against the version it reads, and a lost race is told all the same (ruling R16).
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`] "You cannot edit this product", [`Error::Stale`],
/// [`Error::Invalid`] for an unknown category or the address of an uploaded picture it does not have, [`Error::Conflict`] when the seller uses the sku already.
pub async fn update_product(
    shop: &Shop,
    by: Authorized<WriteProducts>,
    id: ProductId,
    patch: ProductPatch,
    expected: Option<&[Version]>,
) -> Result<Product> {
    let principal = by.principal();
    let patch = &patch;
    shop.write("update_product", |mut tx| async move {
        let before = tx.products().find(id).await?.ok_or(Error::NotFound("Product"))?;
        policy::may_change(principal, &before)?;
        if before.deleted.is_some() {
            return Err(Error::NotFound("Product"));
        }
        if expected.is_some_and(|any| !any.contains(&before.version)) {
            return Err(Error::Stale("Product"));
        }
        if let Some(Some(category)) = patch.category
            && tx.categories().find(category).await?.is_none()
        {
            return Err(unknown_category());
        }
        let mut after = patch.applied_to(shop, &before)?;
        if after.stock != before.stock {
            let delta = after.stock - before.stock;
            let now = tx.now();
            // The stock has no version: what was read must still be on hand.
            tx.products().add_stock(id, delta, Some(before.stock), now).await?.ok_or(Error::Stale("Product"))?;
        }
        let mut stored = tx.products().update(&after, &before).await?;
        if stored == Stored::SlugTaken {
            after.slug = after.slug.with_suffix(id.0);
            stored = tx.products().update(&after, &before).await?;
        }
        stored.or_refused()?;
        let now = tx.now();
        let_go(&mut *tx, before.seller, &before.images, &after.images, now).await?;
        shop.record(&mut *tx, Some(principal.user), events::updated(&before, &after)).await?;
        tx.commit(after).await
    })
    .await
}

impl ProductPatch {
    /// The product after this change, one version on.
    pub(super) fn applied_to(&self, shop: &Shop, before: &Product) -> Result<Product> {
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
            after.images = linked(shop, before.id, &before.images, images_now)?;
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
        Ok(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Violations, catalog::ProductStatus, permission::Role, testing::Fixtures};

    fn price(given: &Fixtures, price: &str) -> ProductPatch {
        let (mut patch, mut violations) = (ProductPatch::default(), Violations::default());
        patch.price(price, &given.shop.rules, &mut violations);
        assert!(violations.is_empty());
        patch
    }

    #[tokio::test]
    async fn the_owner_and_an_admin_change_it_and_the_version_counts() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let product = given.stored_product(owner.seller.unwrap(), |_| ()).await;
        let by = given.authorized(&owner);
        let after = update_product(&given.shop, by, product.id, price(&given, "5"), Some(&[Version(1)])).await.unwrap();
        assert_eq!((after.version, after.price.0), (Version(2), 500));
        let by = given.authorized(&given.person(Role::Admin).await);
        let after = update_product(&given.shop, by, product.id, price(&given, "6"), None).await.unwrap();
        assert_eq!((after.version, store.product(product.id)), (Version(3), Some(after)));
        assert_eq!(store.traces(), vec![("product.update".to_owned(), "product.updated".to_owned()); 2]);
        let changed = &store.audit_entries()[0].metadata["changed"];
        assert_eq!(*changed, serde_json::json!({ "price": [1000, 500] }));
    }

    #[tokio::test]
    async fn a_stranger_learns_only_what_is_public() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await.seller.unwrap();
        let stranger = given.seller().await;
        let open = given.stored_product(owner, |_| ()).await.id;
        let draft = given.stored_product(owner, |p| p.status = ProductStatus::Draft).await.id;
        let send =
            async |id| update_product(&given.shop, given.authorized(&stranger), id, price(&given, "5"), None).await;
        assert_eq!(send(open).await.unwrap_err().to_string(), "You cannot edit this product");
        assert!(matches!(send(draft).await, Err(Error::NotFound("Product"))));
        assert!(matches!(send(given.shop.id()).await, Err(Error::NotFound("Product"))));
        assert_eq!(store.traces(), []);
    }

    #[tokio::test]
    async fn a_stale_version_changes_nothing() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let product = given.stored_product(owner.seller.unwrap(), |_| ()).await;
        let by = given.authorized(&owner);
        let stale =
            update_product(&given.shop, by, product.id, price(&given, "5"), Some(&[Version(9)])).await.unwrap_err();
        assert_eq!(stale.to_string(), "Product was modified by another user");
        assert_eq!((store.product(product.id), store.traces()), (Some(product), Vec::new()));
    }

    #[tokio::test]
    async fn a_new_name_gets_a_new_slug() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let seller = owner.seller.unwrap();
        let taken = given.stored_product(seller, |_| ()).await;
        let product = given.stored_product(seller, |_| ()).await;
        let mut patch = ProductPatch::default();
        patch.name(&taken.name, &given.shop.rules, &mut Violations::default());
        patch.stock(4, &mut Violations::default());
        let after = update_product(&given.shop, given.authorized(&owner), product.id, patch, None).await.unwrap();
        assert_eq!(after.slug, taken.slug.with_suffix(product.id.0));
        assert_eq!(store.product(product.id).unwrap().stock, 4);
    }
}
