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
    expected: Option<&[Version]>,
) -> Result<()> {
    let principal = by.principal();
    shop.write("delete_product", |mut tx| async move {
        let before = tx.products().find(id).await?.ok_or(Error::NotFound("Product"))?;
        policy::may_change(principal, &before)?;
        if before.deleted.is_some() {
            return Err(Error::NotFound("Product"));
        }
        if expected.is_some_and(|any| !any.contains(&before.version)) {
            return Err(Error::Stale("Product"));
        }
        let now = tx.now();
        let mut product = before.clone();
        product.deleted = Some(Deleted { at: now, by: principal.user });
        product.version = before.version.next();
        product.updated_at = now;
        tx.products().update(&product, &before).await?.or_refused()?;
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
        let before = tx.products().find(id).await?.ok_or(Error::NotFound("Product"))?;
        policy::may_change(principal, &before)?;
        if before.deleted.is_none() {
            return Err(Error::conflict("This product is not deleted"));
        }
        let mut product = before.clone();
        product.deleted = None;
        product.version = before.version.next();
        product.updated_at = tx.now();
        let mut stored = tx.products().update(&product, &before).await?;
        if stored == Stored::SlugTaken {
            product.slug = Slug::of(&product.name).with_suffix(id.0);
            stored = tx.products().update(&product, &before).await?;
        }
        stored.or_refused()?;
        shop.record(&mut *tx, Some(principal.user), events::restored(&product)).await?;
        tx.commit(product).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalog::{policy::Scope, ports::ProductQueries},
        testing::Fixtures,
    };

    #[tokio::test]
    async fn a_deleted_product_is_gone_until_it_is_restored() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let product = given.stored_product(owner.seller.unwrap(), |_| ()).await;
        let id = product.id;
        let stale = delete_product(&given.shop, given.authorized(&owner), id, Some(&[Version(7)])).await;
        assert!(matches!(stale, Err(Error::Stale(_))));
        delete_product(&given.shop, given.authorized(&owner), id, Some(&[Version(1)])).await.unwrap();
        assert_eq!(store.get(id, Scope::All).await.unwrap(), None);
        assert_eq!(store.product(id).unwrap().deleted.unwrap().by, owner.user);
        let again = delete_product(&given.shop, given.authorized(&owner), id, None).await;
        assert!(matches!(again, Err(Error::NotFound(_))));
        let back = restore_product(&given.shop, given.authorized(&owner), id).await.unwrap();
        assert_eq!((back.slug, back.version, back.deleted), (product.slug, Version(3), None));
        let again = restore_product(&given.shop, given.authorized(&owner), id).await;
        assert!(matches!(again, Err(Error::Conflict(_))));
        let kinds: Vec<_> = store.traces().into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(kinds, ["product.deleted", "product.restored"]);
    }

    #[tokio::test]
    async fn a_restored_product_yields_its_slug_but_not_its_sku() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let product = given.stored_product(owner.seller.unwrap(), |_| ()).await;
        delete_product(&given.shop, given.authorized(&owner), product.id, None).await.unwrap();
        let heir = given.seller().await.seller.unwrap();
        given.stored_product(heir, |p| p.slug = product.slug.clone()).await;
        let back = restore_product(&given.shop, given.authorized(&owner), product.id).await.unwrap();
        assert_eq!(back.slug, product.slug.with_suffix(product.id.0));
        delete_product(&given.shop, given.authorized(&owner), product.id, None).await.unwrap();
        given.stored_product(owner.seller.unwrap(), |p| p.sku = product.sku.clone()).await;
        let refused = restore_product(&given.shop, given.authorized(&owner), product.id).await;
        assert!(matches!(refused, Err(Error::Conflict(_))));
        assert!(store.product(product.id).unwrap().deleted.is_some());
    }

    #[tokio::test]
    async fn a_stranger_may_not() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let stranger = given.seller().await;
        let id = given.stored_product(owner.seller.unwrap(), |_| ()).await.id;
        let refused = delete_product(&given.shop, given.authorized(&stranger), id, None).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))));
        delete_product(&given.shop, given.authorized(&owner), id, None).await.unwrap();
        let refused = restore_product(&given.shop, given.authorized(&stranger), id).await;
        assert!(matches!(refused, Err(Error::NotFound(_))), "what is deleted is not told to strangers");
        assert_eq!(store.traces().len(), 1);
    }
}
