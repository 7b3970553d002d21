//! Forgetting uploads nobody went on with.

use super::{end::forget, events};
use crate::{error::Result, shop::Shop};

/// Uploads per transaction.
const BATCH: u32 = 20;

/// Forgets uploads whose time is over, with all that is held for them, and gives how many.
///
/// # Errors
/// Those of the database; what was forgotten by then stays so.
pub async fn expire_uploads(shop: &Shop) -> Result<u64> {
    let mut total = 0;
    loop {
        let gone = shop
            .write("expire_uploads", |mut tx| async move {
                let now = tx.now();
                let uploads = tx.uploads().expired(now, BATCH).await?;
                for upload in &uploads {
                    forget(&mut *tx, upload, now).await?;
                    shop.record(&mut *tx, None, events::deleted(upload)).await?;
                }
                tx.commit(uploads.len()).await
            })
            .await?;
        if gone == 0 {
            return Ok(total);
        }
        total += u64::try_from(gone).unwrap_or(u64::MAX);
    }
}
