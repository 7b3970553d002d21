//! Purging the oldest part of the audit log, so that what is left still verifies.

use async_trait::async_trait;
use serde_json::json;

use super::{AuditEntry, Chain, End, Finding, Mark, Note, StoredEntry, walk::Walk};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    event::{Change, Entity, Trace},
    secrets::Mac,
    shop::Shop,
};

/// The action of the entry that a purge leaves.
const PURGE: &str = "audit.purge";

/// Cuts the beginning off the chain.
#[async_trait]
pub trait AuditPurge: Send + Sync {
    /// Removes every link up to `base.seq` with its entry, makes `base` the beginning and writes `trace`, all or nothing.
    /// Does nothing and gives `false` when the beginning is not at `from` any more, because somebody else purged.
    async fn cut(&self, from: u64, base: &Mark, trace: Trace) -> Result<bool>;
}

/// Purges chained entries older than `before`, at most `limit`, and gives how many went. Only an unbroken row of old
/// entries from the beginning goes, and only after it was verified: a purge must not sweep away the traces of tampering.
///
/// It leaves an entry of its own: how many went, up to which link, and where the log ended then. When nothing but such
/// entries is old they stay, or each purge would leave one for the next.
///
/// # Errors
/// [`Error::Conflict`] when what would be purged does not verify; `souk audit verify` tells more.
pub async fn purge_audit(
    shop: &Shop,
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
    let head = log.mark(End::Head).await?;
    let (mut last, mut purges) = (None, 0);
    for found in log.links(i64::MIN, limit).await? {
        match &found.entry {
            StoredEntry::Found(entry) if entry.at >= before => break,
            StoredEntry::Found(entry) if entry.action == PURGE => purges += 1,
            _ => {}
        }
        if let Some(finding) = walk.pass(&found).first() {
            return Err(refused(finding));
        }
        if let StoredEntry::Found(entry) = found.entry {
            last = Some((Mark::sealed(key, End::Base, walk.seq, found.hash), entry));
        }
    }
    drop(log);
    let Some((last, entry)) = last else { return Ok(0) };
    let gone = last.seq - base.seq;
    if gone == purges && gone < u64::from(limit) {
        return Ok(0);
    }
    let trace = shop.trace(None, purged(&entry, &last, gone, head.map(|head| head.note())))?;
    Ok(if purge.cut(base.seq, &last, trace).await? { gone } else { 0 })
}

fn purged(last: &AuditEntry, base: &Mark, entries: u64, head: Option<Note>) -> Change {
    Change {
        action: PURGE,
        event: "audit.purged",
        entity: Entity::new("audit", last.id),
        payload: json!({ "auditId": last.id, "entries": entries, "toSeq": base.seq }),
        metadata: json!({
            "entries": entries,
            "to": base.note().to_string(),
            "lastAt": last.at,
            "head": head.map(|head| head.to_string()),
        }),
    }
}

fn refused(finding: &Finding) -> Error {
    Error::conflict(format!("The audit log is not purged because it does not verify: {finding}"))
}
