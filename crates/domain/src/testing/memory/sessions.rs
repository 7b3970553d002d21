//! Sessions and signing keys in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, page_of};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{SessionId, UserId},
    identity::{
        StoredSession,
        ports::{SealedKey, SessionQueries, SessionRepo, SigningKeyRepo},
    },
    page::{Page, PageRequest},
};

#[async_trait]
impl SessionRepo for MemoryTx {
    async fn insert(&mut self, session: &StoredSession, verified: Option<&str>) -> Result<bool> {
        let Some(stored) = self.state.users.get(&session.user) else { return Ok(false) };
        if verified.is_some_and(|hash| hash != stored.password_hash) {
            return Ok(false);
        }
        self.write().sessions.insert(session.id, session.clone());
        Ok(true)
    }

    async fn find(&mut self, id: SessionId) -> Result<Option<StoredSession>> {
        Ok(self.state.sessions.get(&id).cloned())
    }

    async fn update(&mut self, session: &StoredSession) -> Result<()> {
        self.write().sessions.insert(session.id, session.clone());
        Ok(())
    }

    async fn live_of(&mut self, user: UserId, now: Timestamp) -> Result<Vec<StoredSession>> {
        let of_user = self.state.sessions.values().filter(|session| session.user == user && session.ended.is_none());
        Ok(of_user.filter(|session| session.is_live(now) || session.tokens_until > now).cloned().collect())
    }

    async fn begun_by(
        &mut self,
        operator: UserId,
        from: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Vec<StoredSession>> {
        let begun = |session: &&StoredSession| {
            session
                .impersonation
                .as_ref()
                .is_some_and(|acted| acted.by.user == operator && from.is_none_or(|from| acted.by.session == from))
                && session.ended.is_none()
                && session.tokens_until > now
        };
        Ok(self.state.sessions.values().filter(begun).cloned().collect())
    }
}

#[async_trait]
impl SessionQueries for MemoryStore {
    async fn live(&self, user: UserId, now: Timestamp, page: PageRequest) -> Result<Page<StoredSession>> {
        let state = self.state();
        let live = state.sessions.values().filter(|session| session.user == user && session.is_live(now));
        let mut live: Vec<_> = live.cloned().collect();
        live.sort_by_key(|session| std::cmp::Reverse((session.last_used_at, session.id)));
        Ok(page_of(live, page))
    }

    async fn find(&self, id: SessionId) -> Result<Option<StoredSession>> {
        Ok(self.state().sessions.get(&id).cloned())
    }

    async fn ended(&self, now: Timestamp) -> Result<Vec<(SessionId, Timestamp)>> {
        let state = self.state();
        let ended = state.sessions.values().filter(|session| session.ended.is_some() && session.tokens_until >= now);
        Ok(ended.map(|session| (session.id, session.tokens_until)).collect())
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let mut shared = self.shared();
        let mut state = (*shared.state).clone();
        let over = state.sessions.values().filter(|session| session.over_at() < before).map(|session| session.id);
        let over: Vec<_> = over.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
        state.sessions.retain(|id, _| !over.contains(id));
        shared.state = std::sync::Arc::new(state);
        Ok(u64::try_from(over.len()).unwrap_or(u64::MAX))
    }
}

#[async_trait]
impl SigningKeyRepo for MemoryTx {
    async fn keys(&mut self) -> Result<Vec<SealedKey>> {
        let mut keys = self.state.signing_keys.clone();
        keys.sort_by(|one, other| (one.signs_from, &one.kid).cmp(&(other.signs_from, &other.kid)));
        Ok(keys)
    }

    async fn add(&mut self, key: &SealedKey) -> Result<bool> {
        if self.state.signing_keys.iter().any(|kept| kept.kid == key.kid) {
            return Ok(false);
        }
        self.write().signing_keys.push(key.clone());
        Ok(true)
    }

    async fn remove(&mut self, kid: &str) -> Result<()> {
        self.write().signing_keys.retain(|key| key.kid != kid);
        Ok(())
    }
}
