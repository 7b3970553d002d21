//! Purging the oldest part of the audit log, so that what is left still verifies.

use async_trait::async_trait;

use super::{Chain, End, Finding, Mark, StoredEntry, walk::Walk};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    secrets::Mac,
};

/// Cuts the beginning off the chain.
#[async_trait]
pub trait AuditPurge: Send + Sync {
    /// Removes every link up to `base.seq` with its entry and makes `base` the beginning, all or nothing. Does nothing
    /// and gives `false` when the beginning is not at `from` any more, because somebody else purged.
    async fn cut(&self, from: u64, base: &Mark) -> Result<bool>;
}

/// Purges chained entries older than `before`, at most `limit`, and gives how many went. Only an unbroken row of old
/// entries from the beginning goes, and only after it was verified: a purge must not sweep away the traces of tampering.
///
/// # Errors
/// [`Error::Conflict`] when what would be purged does not verify; `souk audit verify` tells more.
pub async fn purge_audit(
    chain: &dyn Chain,
    purge: &dyn AuditPurge,
    key: &dyn Mac,
    before: Timestamp,
    limit: u32,
) -> Result<u64> {
    let mut log = chain.snapshot().await?;
    let base = log.mark(End::Base).await?;
    if base.is_some_and(|base| !base.holds(key, End::Base)) {
        return Err(refused(&Finding::ForgedBase));
    }
    let base = base.unwrap_or_else(|| Mark::sealed(key, End::Base, 0, [0; 32]));
    let mut walk = Walk::after(key, base.seq, base.hash);
    let mut last = None;
    for found in log.links(i64::MIN, limit).await? {
        match &found.entry {
            StoredEntry::Found(entry) if entry.at >= before => break,
            _ => {}
        }
        if let Some(finding) = walk.pass(&found).first() {
            return Err(refused(finding));
        }
        last = Some(Mark::sealed(key, End::Base, walk.seq, found.hash));
    }
    drop(log);
    let Some(last) = last else { return Ok(0) };
    Ok(if purge.cut(base.seq, &last).await? { last.seq - base.seq } else { 0 })
}

fn refused(finding: &Finding) -> Error {
    Error::conflict(format!("The audit log is not purged because it does not verify: {finding}"))
}
