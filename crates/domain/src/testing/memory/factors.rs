//! Second factors, challenges and passkeys in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, page_of};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{PasskeyId, UserId},
    identity::{
        NO_PASSWORD, Passkey,
        factors::{
            StoredChallenge, StoredTotp,
            ports::{ChallengeRepo, FactorQueries, FactorRepo, Ways},
        },
        passkeys::ports::{PasskeyQueries, PasskeyRepo},
    },
    page::{Page, PageRequest},
};

#[async_trait]
impl FactorRepo for MemoryTx {
    async fn totp(&mut self, user: UserId) -> Result<Option<StoredTotp>> {
        Ok(self.state.totp.get(&user).cloned())
    }

    async fn put_totp(&mut self, totp: &StoredTotp) -> Result<bool> {
        if self.state.totp.get(&totp.user).is_some_and(|app| app.confirmed_at.is_some()) {
            return Ok(false);
        }
        self.write().totp.insert(totp.user, totp.clone());
        Ok(true)
    }

    async fn confirm_totp(&mut self, user: UserId, at: Timestamp) -> Result<()> {
        if let Some(app) = self.write().totp.get_mut(&user) {
            app.confirmed_at = Some(at);
        }
        Ok(())
    }

    async fn use_step(&mut self, user: UserId, step: i64) -> Result<bool> {
        let app = self.write().totp.get_mut(&user).filter(|app| app.last_step < step);
        Ok(app.map(|app| app.last_step = step).is_some())
    }

    async fn remove_totp(&mut self, user: UserId) -> Result<bool> {
        self.write().recovery.retain(|(whose, _)| *whose != user);
        Ok(self.write().totp.remove(&user).is_some())
    }

    async fn put_recovery(&mut self, user: UserId, digests: &[[u8; 32]]) -> Result<()> {
        let recovery = &mut self.write().recovery;
        recovery.retain(|(whose, _)| *whose != user);
        recovery.extend(digests.iter().map(|digest| (user, *digest)));
        Ok(())
    }

    async fn take_recovery(&mut self, user: UserId, digest: &[u8; 32]) -> Result<bool> {
        Ok(self.write().recovery.remove(&(user, *digest)))
    }
}

#[async_trait]
impl FactorQueries for MemoryStore {
    async fn ways(&self, user: UserId) -> Result<Option<Ways>> {
        let state = self.state();
        let Some(stored) = state.users.get(&user) else { return Ok(None) };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Some(Ways {
            password: stored.password_hash != NO_PASSWORD,
            totp: state.totp.get(&user).and_then(|app| app.confirmed_at),
            recovery_codes: number(state.recovery.iter().filter(|(whose, _)| *whose == user).count()),
            passkeys: number(state.passkeys.values().filter(|passkey| passkey.user == user).count()),
        }))
    }
}

#[async_trait]
impl ChallengeRepo for MemoryTx {
    async fn put(&mut self, challenge: &StoredChallenge, verified: Option<&str>, now: Timestamp) -> Result<bool> {
        let Some(stored) = self.state.users.get(&challenge.user) else { return Ok(false) };
        if verified.is_some_and(|hash| hash != stored.password_hash) {
            return Ok(false);
        }
        let challenges = &mut self.write().challenges;
        challenges.retain(|_, (kept, _)| kept.expires_at > now);
        challenges.insert(challenge.digest, (challenge.clone(), 0));
        Ok(true)
    }

    async fn guess(&mut self, digest: &[u8; 32], most: u32, now: Timestamp) -> Result<Option<StoredChallenge>> {
        let found = self.write().challenges.get_mut(digest);
        Ok(found.filter(|(kept, guesses)| kept.expires_at > now && *guesses < most).map(|(kept, guesses)| {
            *guesses += 1;
            kept.clone()
        }))
    }

    async fn take(&mut self, digest: &[u8; 32], now: Timestamp) -> Result<bool> {
        Ok(self.write().challenges.remove(digest).is_some_and(|(kept, _)| kept.expires_at > now))
    }

    async fn clear(&mut self, user: UserId) -> Result<()> {
        self.write().challenges.retain(|_, (kept, _)| kept.user != user);
        Ok(())
    }

    async fn spend(&mut self, ceremony: &[u8; 32], until: Timestamp, now: Timestamp) -> Result<bool> {
        let spent = &mut self.write().spent;
        spent.retain(|_, until| *until > now);
        Ok(spent.insert(*ceremony, until).is_none())
    }
}

#[async_trait]
impl PasskeyRepo for MemoryTx {
    async fn insert(&mut self, passkey: &Passkey) -> Result<bool> {
        let known = self.state.passkeys.values().any(|kept| kept.credential == passkey.credential);
        if known || !self.state.users.contains_key(&passkey.user) {
            return Ok(false);
        }
        self.write().passkeys.insert(passkey.id, passkey.clone());
        Ok(true)
    }

    async fn find(&mut self, id: PasskeyId) -> Result<Option<Passkey>> {
        Ok(self.state.passkeys.get(&id).cloned())
    }

    async fn by_credential(&mut self, credential: &[u8]) -> Result<Option<Passkey>> {
        Ok(self.state.passkeys.values().find(|kept| kept.credential == credential).cloned())
    }

    async fn credentials(&mut self, user: UserId) -> Result<Vec<Vec<u8>>> {
        let own = self.state.passkeys.values().filter(|kept| kept.user == user);
        Ok(own.map(|kept| kept.credential.clone()).collect())
    }

    async fn used(&mut self, id: PasskeyId, key: &[u8], at: Timestamp) -> Result<()> {
        if let Some(kept) = self.write().passkeys.get_mut(&id) {
            key.clone_into(&mut kept.key);
            kept.last_used_at = Some(at);
        }
        Ok(())
    }

    async fn rename(&mut self, id: PasskeyId, name: &str) -> Result<()> {
        if let Some(kept) = self.write().passkeys.get_mut(&id) {
            name.clone_into(&mut kept.name);
        }
        Ok(())
    }

    async fn delete(&mut self, id: PasskeyId) -> Result<()> {
        self.write().passkeys.remove(&id);
        Ok(())
    }
}

#[async_trait]
impl PasskeyQueries for MemoryStore {
    async fn list(&self, user: UserId, page: PageRequest) -> Result<Page<Passkey>> {
        let state = self.state();
        let own = state.passkeys.values().rev().filter(|kept| kept.user == user).cloned();
        Ok(page_of(own, page))
    }

    async fn get(&self, user: UserId, id: PasskeyId) -> Result<Option<Passkey>> {
        Ok(self.state().passkeys.get(&id).filter(|kept| kept.user == user).cloned())
    }
}
