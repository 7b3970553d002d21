//! What becomes of the files of products that go for good.

use std::time::Duration;

use super::{ProductFile, events};
use crate::{clock::Timestamp, error::Result, shop::Shop, store::Tx};

/// Files removed in one transaction.
const BATCH: u32 = 100;

/// Removes the files of products that were deleted longer than `keep` ago, and gives how many. It comes before the purge of
/// those products, which leaves the ones that still have files.
///
/// # Errors
/// Those of the database.
pub async fn purge_files(shop: &Shop, keep: Duration) -> Result<u64> {
    let before: Timestamp = shop.now() - keep;
    let mut total = 0;
    loop {
        let removed = shop
            .write("purge_files", |mut tx| async move {
                let now = tx.now();
                let files = tx.files().of_deleted(before, BATCH).await?;
                for file in &files {
                    forget(&mut *tx, file, now).await?;
                    shop.record(&mut *tx, None, events::deleted(file)).await?;
                }
                tx.commit(files.len()).await
            })
            .await?;
        if removed == 0 {
            return Ok(total);
        }
        total += u64::try_from(removed).unwrap_or(u64::MAX);
    }
}

/// Removes a file, lets its bytes go and counts them no more.
pub(super) async fn forget(tx: &mut dyn Tx, file: &ProductFile, at: Timestamp) -> Result<()> {
    tx.files().delete(file.id).await?;
    for holder in file.holders() {
        tx.usage().refund(holder, file.size).await?;
    }
    tx.blobs().release(&file.digest, file.told.reach, at).await
}
