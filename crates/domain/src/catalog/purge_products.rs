//! Removing deleted products for good.

use std::time::Duration;

use super::events;
use crate::{
    assets::{files::purge_files, image::let_go, models::clear_orphans},
    error::Result,
    shop::Shop,
};

/// How many products one transaction removes.
const BATCH: u32 = 100;

/// Removes every product that was deleted longer than `keep` ago, with its files, pictures, reviews and old slugs, and gives
/// how many there were. Each leaves an audit row and an event. For the operator and the clock, who need no permission
/// inside the shop.
pub async fn purge_products(shop: &Shop, keep: Duration) -> Result<u64> {
    purge_files(shop, keep).await?;
    let before = shop.now() - keep;
    let mut total = 0;
    loop {
        let removed = shop
            .write("purge_products", |mut tx| async move {
                let gone = tx.products().purge(before, BATCH).await?;
                let now = tx.now();
                clear_orphans(shop, &mut *tx, now).await?;
                for product in &gone {
                    let_go(&mut *tx, product.seller, &product.images, &[], now).await?;
                    shop.record(&mut *tx, None, events::purged(product.id)).await?;
                }
                tx.commit(gone.len()).await
            })
            .await?;
        if removed == 0 {
            return Ok(total);
        }
        total += u64::try_from(removed).unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalog::delete_product, testing::Fixtures};

    #[tokio::test]
    async fn only_what_was_deleted_long_ago_goes() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let keep = Duration::from_hours(24 * 30);
        let mut old = Vec::new();
        for _ in 0..105 {
            let id = given.stored_product(owner.seller.unwrap(), |_| ()).await.id;
            delete_product(&given.shop, given.authorized(&owner), id, None).await.unwrap();
            old.push(id);
        }
        given.clock.advance(keep);
        assert_eq!(purge_products(&given.shop, keep).await.unwrap(), 0, "not a moment too early");
        let recent = given.stored_product(owner.seller.unwrap(), |_| ()).await.id;
        delete_product(&given.shop, given.authorized(&owner), recent, None).await.unwrap();
        given.clock.advance(Duration::from_secs(1));
        assert_eq!(purge_products(&given.shop, keep).await.unwrap(), 105);
        assert!(old.iter().all(|id| store.product(*id).is_none()));
        assert!(store.product(recent).is_some());
        let purged = store.events().into_iter().filter(|event| event.kind == "product.purged");
        assert!(purged.clone().all(|event| event.actor.is_none()));
        assert_eq!((purged.count(), store.traces().len()), (105, 105 + 106));
    }
}
