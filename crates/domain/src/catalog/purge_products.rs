//! Removing deleted products for good.

use std::time::Duration;

use super::events;
use crate::{error::Result, shop::Shop};

/// How many products one transaction removes.
const BATCH: u32 = 100;

/// Removes every product that was deleted longer than `keep` ago, with its pictures, reviews and old slugs, and gives
/// how many there were. Each leaves an audit row and an event. For the operator and the clock, who need no permission
/// inside the shop.
pub async fn purge_products(shop: &Shop, keep: Duration) -> Result<u64> {
    let before = shop.now() - keep;
    let mut total = 0;
    loop {
        let removed = shop
            .write("purge_products", |mut tx| async move {
                let ids = tx.products().purge(before, BATCH).await?;
                for id in &ids {
                    shop.record(&mut *tx, None, events::purged(*id)).await?;
                }
                tx.commit(ids.len()).await
            })
            .await?;
        if removed == 0 {
            return Ok(total);
        }
        total += u64::try_from(removed).unwrap_or(u64::MAX);
    }
}
