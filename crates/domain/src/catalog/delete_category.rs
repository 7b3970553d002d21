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

/// Deletes a category without children. With `expected`, only if it was last changed at one of those moments. Every product
/// moved has its own audit row and event. Products that are deleted move too, so that they can be restored.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`], [`Error::Conflict`] while children, or products not to be moved, are in it.
pub async fn delete_category(
    shop: &Shop,
    by: Authorized<ManageCatalog>,
    id: CategoryId,
    products: ProductsWithin,
    expected: Option<&[Timestamp]>,
) -> Result<()> {
    let user = by.principal().user;
    shop.write("delete_category", |mut tx| async move {
        tx.categories().lock_tree().await?;
        let category = tx.categories().find(id).await?.ok_or(Error::NotFound("Category"))?;
        if expected.is_some_and(|any| !any.contains(&category.updated_at)) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::ports::CategoryQueries, permission::Role, testing::Fixtures};

    #[tokio::test]
    async fn it_is_refused_while_something_is_in_it() {
        let (given, store) = Fixtures::in_memory();
        let admin = given.person(Role::Admin).await;
        let top = given.stored_category(None).await;
        let leaf = given.stored_category(Some(&top)).await;
        let seller = given.seller().await.seller.unwrap();
        given.stored_product(seller, |p| p.category = Some(leaf.id)).await;
        for (id, products) in [(top.id, ProductsWithin::MoveUp), (leaf.id, ProductsWithin::Refuse)] {
            let refused = delete_category(&given.shop, given.authorized(&admin), id, products, None).await;
            assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        }
        let unknown = given.shop.id();
        let refused =
            delete_category(&given.shop, given.authorized(&admin), unknown, ProductsWithin::Refuse, None).await;
        assert!(matches!(refused, Err(Error::NotFound("Category"))));
        assert_eq!(store.traces(), []);
    }

    #[tokio::test]
    async fn products_move_up_each_with_its_event() {
        let (given, store) = Fixtures::in_memory();
        let admin = given.person(Role::Admin).await;
        let top = given.stored_category(None).await;
        let leaf = given.stored_category(Some(&top)).await;
        let seller = given.seller().await.seller.unwrap();
        let product = given.stored_product(seller, |p| p.category = Some(leaf.id)).await;
        let by = given.authorized(&admin);
        delete_category(&given.shop, by, leaf.id, ProductsWithin::MoveUp, Some(&[leaf.updated_at])).await.unwrap();
        assert_eq!(CategoryQueries::get(&store, leaf.id).await.unwrap(), None);
        let moved = store.product(product.id).unwrap();
        assert_eq!((moved.category, moved.version), (Some(top.id), product.version.next()));
        let kinds: Vec<_> = store.traces().into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(kinds, ["product.updated", "category.deleted"]);
        assert_eq!(store.events()[0].payload["previousCategoryId"], serde_json::json!(leaf.id));
    }

    #[tokio::test]
    async fn a_deleted_product_does_not_hold_it() {
        let (given, store) = Fixtures::in_memory();
        let (admin, owner) = (given.person(Role::Admin).await, given.seller().await);
        let leaf = given.stored_category(None).await;
        let id = given.stored_product(owner.seller.unwrap(), |p| p.category = Some(leaf.id)).await.id;
        crate::catalog::delete_product(&given.shop, given.authorized(&owner), id, None).await.unwrap();
        let by = given.authorized(&admin);
        delete_category(&given.shop, by, leaf.id, ProductsWithin::Refuse, None).await.unwrap();
        assert_eq!(store.product(id).unwrap().category, None);
    }
}
