//! How long logs are kept, and the purge of what is older.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    audit::{AuditPurge, Chain, purge_audit},
    clock::Timestamp,
    error::Result,
    job::{Job, Policy, ports::JobQueue},
    secrets::Mac,
    shop::Shop,
};

/// Rows removed in one transaction, so that writers are not held up.
const PORTION: u32 = 1_000;

/// How long what is kept; `None` keeps it for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// Numbered events.
    pub events: Option<Duration>,
    /// Answers under idempotency keys.
    pub keys: Option<Duration>,
    /// Audit entries.
    pub audit: Option<Duration>,
}

impl Default for Keep {
    fn default() -> Self {
        Self { events: Some(Duration::from_hours(30 * 24)), keys: Some(Duration::from_hours(24)), audit: None }
    }
}

/// The job that removes what is older than it is kept: deleted products, events, keys, audit entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeShop {}

impl Job for PurgeShop {
    const NAME: &'static str = "purge";

    fn policy() -> Policy {
        Policy { attempts: 3, timeout: Duration::from_hours(1), at_once: 1, ..Policy::default() }
    }
}

/// The job that removes jobs which ended long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeJobs {}

impl Job for PurgeJobs {
    const NAME: &'static str = "purge_jobs";

    fn policy() -> Policy {
        Policy { attempts: 3, timeout: Duration::from_hours(1), at_once: 1, ..Policy::default() }
    }
}

/// How long ended jobs are kept; `None` keeps them for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepJobs {
    /// Those that were done or cancelled.
    pub done: Option<Duration>,
    /// Those that were given up.
    pub dead: Option<Duration>,
}

/// Removes jobs that ended longer ago than they are kept, in small transactions, and gives how many.
pub async fn purge_jobs(queue: &dyn JobQueue, now: Timestamp, keep: KeepJobs) -> Result<u64> {
    let mut total = 0;
    loop {
        let gone = queue.purge(keep.done.map(|age| now - age), keep.dead.map(|age| now - age), PORTION).await?;
        total += gone;
        if gone < u64::from(PORTION) {
            return Ok(total);
        }
    }
}

/// The logs that are purged by age alone.
#[async_trait]
pub trait LogPurge: Send + Sync {
    /// Removes events older than `before`, at most `limit`, and gives how many. Only an unbroken row from the lowest
    /// number on goes, so that what is left has no gap; an event without a number never goes.
    async fn events(&self, before: Timestamp, limit: u32) -> Result<u64>;

    /// Removes idempotency keys older than `before`, at most `limit`, and gives how many.
    async fn keys(&self, before: Timestamp, limit: u32) -> Result<u64>;
}

/// What the purge runs with.
#[derive(Clone)]
pub struct Purge {
    /// Events and keys.
    pub logs: Arc<dyn LogPurge>,
    /// The audit chain.
    pub chain: Arc<dyn Chain>,
    /// The end of the audit chain that is cut.
    pub audit: Arc<dyn AuditPurge>,
    /// The key of the audit chain.
    pub key: Arc<dyn Mac>,
    /// Where time comes from, and what the purge tells of itself.
    pub shop: Shop,
    /// What is kept.
    pub keep: Keep,
}

impl std::fmt::Debug for Purge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Purge").field("keep", &self.keep).finish_non_exhaustive()
    }
}

/// How many rows a purge removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Events.
    pub events: u64,
    /// Idempotency keys.
    pub keys: u64,
    /// Audit entries.
    pub audit: u64,
}

/// Removes everything that is older than it is kept, in small transactions.
///
/// # Errors
/// Those of the ports; [`crate::Error::Conflict`] when the audit log does not verify, after the rest was purged.
pub async fn purge(with: &Purge) -> Result<Purged> {
    let now = with.shop.now();
    let mut done = Purged::default();
    if let Some(age) = with.keep.events {
        loop {
            let gone = with.logs.events(now - age, PORTION).await?;
            done.events += gone;
            if gone < u64::from(PORTION) {
                break;
            }
        }
    }
    if let Some(age) = with.keep.keys {
        loop {
            let gone = with.logs.keys(now - age, PORTION).await?;
            done.keys += gone;
            if gone < u64::from(PORTION) {
                break;
            }
        }
    }
    if let Some(age) = with.keep.audit {
        loop {
            let (chain, cut, key) = (with.chain.as_ref(), with.audit.as_ref(), with.key.as_ref());
            let gone = purge_audit(&with.shop, chain, cut, key, now - age, PORTION).await?;
            done.audit += gone;
            if gone < u64::from(PORTION) {
                break;
            }
        }
    }
    Ok(done)
}
