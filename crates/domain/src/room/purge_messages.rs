//! How long messages are kept.

use std::time::Duration;

use super::ports::MessagePurge;
use crate::{clock::Timestamp, error::Result};

/// Messages removed in one transaction, so that writers are not held up.
const PORTION: u32 = 1_000;

/// How long messages are kept; `None` for ever.
pub type KeepMessages = Option<Duration>;

/// Removes messages that are older than they are kept, in small transactions, and gives how many.
pub async fn purge_messages(messages: &dyn MessagePurge, now: Timestamp, keep: KeepMessages) -> Result<u64> {
    let Some(age) = keep else { return Ok(0) };
    let mut total = 0;
    loop {
        let gone = messages.purge_messages(now - age, PORTION).await?;
        total += gone;
        if gone == 0 {
            return Ok(total);
        }
    }
}
