//! The chain over the audit log: each link's hash covers its entry and the link before (ruling R23).

use super::AuditEntry;
use crate::{id::AuditId, secrets::Mac};

/// One link of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainLink {
    /// Its number: from 1, without gaps.
    pub seq: u64,
    /// The entry it covers.
    pub audit: AuditId,
    /// `mac(seq | hash of the link before | canonical entry)`.
    pub hash: [u8; 32],
}

/// The link that follows `previous` (all zeros before the first) and covers `entry`.
pub fn link(key: &dyn Mac, seq: u64, previous: &[u8; 32], entry: &AuditEntry) -> ChainLink {
    let mut bytes = Vec::with_capacity(512);
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(previous);
    // An entry without one is hashed as it was before there was any.
    let impersonator = entry.impersonator.map(|user| user.to_string());
    let parts = [
        entry.id.to_string(),
        entry.actor.map(|user| user.to_string()).unwrap_or_default(),
        entry.action.clone(),
        entry.entity.kind.clone(),
        entry.entity.id.to_string(),
        canonical(&entry.metadata),
        entry.at.timestamp_micros().to_string(),
    ];
    for part in parts.into_iter().chain(impersonator) {
        // The length in front keeps ("ab","c") and ("a","bc") apart.
        bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    ChainLink { seq, audit: entry.id, hash: key.mac(&bytes) }
}

/// JSON with sorted keys: databases are free to store an object's keys in another order than they were given.
fn canonical(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            let inner: Vec<_> = keys
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", inner.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{clock::Timestamp, event::Entity, id::UserId, testing::PlainMac};

    #[test]
    fn who_acted_as_the_actor_is_covered() {
        let ids: [Uuid; 3] = std::array::from_fn(|n| Uuid::from_u128(u128::try_from(n).unwrap()));
        let entry = |impersonator: Option<Uuid>| AuditEntry {
            id: AuditId(ids[0]),
            actor: Some(UserId(ids[0])),
            impersonator: impersonator.map(UserId),
            action: "lamp.light".to_owned(),
            entity: Entity::new("lamp", ids[0]),
            metadata: serde_json::json!({}),
            at: Timestamp::UNIX_EPOCH,
        };
        let hash = |by| link(&PlainMac, 1, &[0; 32], &entry(by)).hash;
        let hashes = [hash(None), hash(Some(ids[1])), hash(Some(ids[2]))];
        assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[0] != hashes[2]);
    }
}
