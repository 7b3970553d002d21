//! Idempotency keys in memory.

use async_trait::async_trait;

use super::{
    MemoryTx,
    state::{KeyScope, StoredKey},
};
use crate::{
    clock::Timestamp,
    error::Result,
    idempotency::{Claim, IdempotencyKeys, Key, Reply},
};

#[async_trait]
impl IdempotencyKeys for MemoryTx {
    async fn claim(&mut self, key: &Key, since: Timestamp) -> Result<Claim> {
        let scope = KeyScope::of(key);
        let holder = *self.store.shared().held.entry(scope.clone()).or_insert(self.number);
        if holder != self.number {
            return Ok(Claim::InFlight);
        }
        Ok(match self.state.keys.get(&scope).filter(|kept| kept.at >= since) {
            None => Claim::Fresh,
            Some(kept) if kept.fingerprint == key.fingerprint => Claim::Replay(kept.reply.clone()),
            Some(_) => Claim::Mismatch,
        })
    }

    async fn keep(&mut self, key: &Key, reply: &Reply, at: Timestamp) -> Result<()> {
        let kept = StoredKey { fingerprint: key.fingerprint, reply: reply.clone(), at };
        self.write().keys.insert(KeyScope::of(key), kept);
        Ok(())
    }
}
