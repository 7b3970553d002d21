//! Codes that are good once, and where people signed in from, in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx};
use crate::{
    clock::Timestamp,
    error::Result,
    id::UserId,
    identity::{
        ActionCode, Purpose,
        ports::{ActionCodeRepo, PLACE_KEPT, Places},
    },
};

#[async_trait]
impl ActionCodeRepo for MemoryTx {
    async fn put(&mut self, code: &ActionCode, now: Timestamp) -> Result<()> {
        let codes = &mut self.write().codes;
        codes.retain(|_, (kept, _)| kept.expires_at > now);
        codes.insert((code.user, code.purpose.name()), (code.clone(), 0));
        Ok(())
    }

    async fn find(&mut self, user: UserId, purpose: Purpose, now: Timestamp) -> Result<Option<ActionCode>> {
        let found = self.state.codes.get(&(user, purpose.name()));
        Ok(found.map(|(code, _)| code).filter(|code| code.expires_at > now).cloned())
    }

    async fn take(&mut self, purpose: Purpose, digest: &[u8; 32], now: Timestamp) -> Result<Option<ActionCode>> {
        let mut codes = self.state.codes.values().map(|(code, _)| code);
        let found =
            codes.find(|code| code.purpose == purpose && code.digest == *digest && code.expires_at > now).cloned();
        if let Some(code) = &found {
            self.write().codes.remove(&(code.user, purpose.name()));
        }
        Ok(found)
    }

    async fn guess(&mut self, user: UserId, purpose: Purpose, most: u32, now: Timestamp) -> Result<Option<ActionCode>> {
        let found = self.write().codes.get_mut(&(user, purpose.name()));
        Ok(found.filter(|(code, guesses)| code.expires_at > now && *guesses < most).map(|(code, guesses)| {
            *guesses += 1;
            code.clone()
        }))
    }

    async fn clear(&mut self, user: UserId) -> Result<()> {
        self.write().codes.retain(|(whose, _), _| *whose != user);
        Ok(())
    }
}

#[async_trait]
impl Places for MemoryStore {
    async fn seen(&self, user: UserId, place: &[u8; 32]) -> Result<Option<Timestamp>> {
        Ok(self.shared().places.get(&(user, *place)).copied())
    }

    async fn note(&self, user: UserId, place: &[u8; 32], now: Timestamp) -> Result<()> {
        let mut shared = self.shared();
        if shared.state.users.contains_key(&user) {
            shared.places.retain(|(whose, _), then| *whose != user || *then > now - PLACE_KEPT);
            shared.places.insert((user, *place), now);
        }
        Ok(())
    }
}
