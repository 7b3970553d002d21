//! What is done for the ledger by the schedule: calls whose node was killed are given up, old ones removed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ports::LedgerStore;
use crate::{
    clock::Timestamp,
    error::Result,
    job::{Job, Policy},
};

/// Calls removed at once.
const PORTION: u32 = 1000;

/// Gives up calls that were lost, and removes old ones.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SettleCalls {}

/// How many calls went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// Those that were given up: the most they can have used counts.
    pub lost: u64,
    /// Those that were removed.
    pub purged: u64,
}

/// Gives up the calls that were not heard of for so long, and removes those that ended longer ago than they are kept. It changes nothing
/// when it runs again.
///
/// # Errors
/// Those of the store.
pub async fn settle_calls(
    store: &dyn LedgerStore,
    now: Timestamp,
    lost_after: Duration,
    keep: Option<Duration>,
) -> Result<Looked> {
    let lost = store.sweep(now - lost_after, now).await?;
    let mut purged = 0;
    if let Some(keep) = keep {
        loop {
            let gone = store.purge(now - keep, PORTION).await?;
            purged += gone;
            if gone < u64::from(PORTION) {
                break;
            }
        }
    }
    Ok(Looked { lost, purged })
}

impl Job for SettleCalls {
    const NAME: &'static str = "settle_calls";

    fn policy() -> Policy {
        Policy { attempts: 3, timeout: Duration::from_mins(10), at_once: 1, ..Policy::default() }
    }
}
