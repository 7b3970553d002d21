//! Forgetting events after their time.

use std::time::Duration;

use super::ports::HookQueries;
use crate::{clock::Timestamp, error::Result};

/// Events removed in one transaction.
const PORTION: u32 = 1_000;

/// Removes events that came longer ago than they are kept, in small transactions, and gives how many. `None` keeps them for ever.
///
/// # Errors
/// Those of the database; what was removed by then stays so.
pub async fn purge_hooks(hooks: &dyn HookQueries, now: Timestamp, keep: Option<Duration>) -> Result<u64> {
    let Some(keep) = keep else { return Ok(0) };
    let mut total = 0;
    loop {
        let gone = hooks.purge(now - keep, PORTION).await?;
        total += gone;
        if gone < u64::from(PORTION) {
            return Ok(total);
        }
    }
}
