//! How long sessions are kept that are over.

use std::time::Duration;

use super::ports::SessionQueries;
use crate::{clock::Timestamp, error::Result};

/// Sessions removed in one transaction, so that writers are not held up.
const PORTION: u32 = 1_000;

/// Removes sessions that have been over for longer than they are kept, in small transactions, and gives how many.
///
/// # Errors
/// Those of the database.
pub async fn purge_sessions(sessions: &dyn SessionQueries, now: Timestamp, keep: Option<Duration>) -> Result<u64> {
    let Some(age) = keep else { return Ok(0) };
    let mut total = 0;
    loop {
        let gone = sessions.purge(now - age, PORTION).await?;
        total += gone;
        if gone < u64::from(PORTION) {
            return Ok(total);
        }
    }
}
