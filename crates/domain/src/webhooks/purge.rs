//! The purge of messages that are old.

use std::time::Duration;

use super::ports::Dispatch;
use crate::{clock::Timestamp, error::Result};

/// Rows removed in one transaction.
const PORTION: u32 = 1_000;

/// Removes messages that are older than they are kept, with what is known of them, in small transactions, and gives how many;
/// `None` keeps them for ever. What waits is kept.
///
/// # Errors
/// Those of the port.
pub async fn purge_webhooks(dispatch: &dyn Dispatch, now: Timestamp, keep: Option<Duration>) -> Result<u64> {
    let Some(keep) = keep else { return Ok(0) };
    let mut total = 0;
    loop {
        let gone = dispatch.purge(now - keep, PORTION).await?;
        total += gone;
        if gone < u64::from(PORTION) {
            return Ok(total);
        }
    }
}
