//! How long conversations are kept.

use std::time::Duration;

use super::{events, ports::ConversationQueries};
use crate::{error::Result, shop::Shop};

/// Conversations looked for at once.
const PORTION: u32 = 100;

/// Removes conversations that were not touched for so long, each in a transaction of its own, and gives how many.
///
/// # Errors
/// Those of the store.
pub async fn purge_conversations(
    shop: &Shop,
    queries: &dyn ConversationQueries,
    keep: Option<Duration>,
) -> Result<u64> {
    let Some(age) = keep else { return Ok(0) };
    let before = shop.now() - age;
    let mut gone = 0;
    loop {
        let old = queries.untouched(before, PORTION).await?;
        let is_last = old.len() < usize::try_from(PORTION).unwrap_or(usize::MAX);
        for id in old {
            let removed = shop.write("purge_conversations", |mut tx| async move {
                // Somebody may have come back to it meanwhile.
                let found = tx.conversations().find(id).await?.filter(|found| found.updated_at < before);
                let is_old = found.is_some();
                if is_old {
                    tx.conversations().delete(id).await?;
                    shop.record(&mut *tx, None, events::deleted(id)).await?;
                }
                tx.commit(is_old).await
            });
            gone += u64::from(removed.await?);
        }
        if is_last {
            return Ok(gone);
        }
    }
}
