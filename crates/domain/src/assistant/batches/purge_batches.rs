//! How long batches and their files are kept.

use std::time::Duration;

use super::{
    forget_batches::{remove_batch, remove_file},
    ports::BatchQueries,
};
use crate::{error::Result, shop::Shop};

/// Things looked for at once.
const PORTION: u32 = 100;

/// Removes batches that were over for so long and files that came so long ago, each in a transaction of its own, and gives how many.
///
/// # Errors
/// Those of the store.
pub async fn purge_batches(shop: &Shop, queries: &dyn BatchQueries, keep: Option<Duration>) -> Result<u64> {
    let Some(age) = keep else { return Ok(0) };
    let (before, mut gone) = (shop.now() - age, 0);
    loop {
        let (batches, files) =
            (queries.ended_before(before, PORTION).await?, queries.files_before(before, PORTION).await?);
        let mut removed = 0;
        for id in batches {
            removed += u64::from(remove_batch(shop, id).await?);
        }
        for id in files {
            removed += u64::from(remove_file(shop, id).await?);
        }
        gone += removed;
        // What a batch came to read meanwhile stays.
        if removed == 0 {
            return Ok(gone);
        }
    }
}
