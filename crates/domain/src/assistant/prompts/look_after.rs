//! What the schedule does for answers that were asked for by prompts: those whose node was killed are given up, old ones removed.

use std::time::Duration;

use super::ports::GenerationStore;
use crate::{clock::Timestamp, error::Result};

/// Rows removed at once.
const PORTION: u32 = 1_000;

/// Gives up those that were not heard of for so long, and removes those that ended longer ago than they are kept. It changes nothing when
/// it runs again.
///
/// # Errors
/// Those of the store.
pub async fn settle_generations(
    store: &dyn GenerationStore,
    now: Timestamp,
    lost_after: Duration,
    keep: Option<Duration>,
) -> Result<u64> {
    let lost = store.give_up(now - lost_after, now).await?;
    if let Some(keep) = keep {
        while store.purge_generations(now - keep, PORTION).await? >= u64::from(PORTION) {}
    }
    Ok(lost)
}
