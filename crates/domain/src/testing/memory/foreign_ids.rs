//! Who is who elsewhere, and sign-ins that are under way there, in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, state::State};
use crate::{
    clock::Timestamp,
    error::Result,
    id::UserId,
    identity::{
        Email, ForeignId,
        outside::{
            Link,
            ports::{ForeignIdQueries, ForeignIdRepo, SignInStepRepo, Standing, StandingRepo},
        },
    },
};

#[async_trait]
impl ForeignIdRepo for MemoryTx {
    async fn user_of(&mut self, id: &ForeignId) -> Result<Option<UserId>> {
        Ok(self.state.links.get(id).map(|link| link.user))
    }

    async fn insert(&mut self, link: &Link) -> Result<bool> {
        let taken = |known: &Link| known.user == link.user && known.provider == link.provider;
        if self.state.links.contains_key(&link.id) || self.state.links.values().any(taken) {
            return Ok(false);
        }
        self.write().links.insert(link.id.clone(), link.clone());
        Ok(true)
    }

    async fn of(&mut self, user: UserId) -> Result<Vec<Link>> {
        Ok(links_of(&self.state, user))
    }

    async fn remove(&mut self, user: UserId, provider: &str) -> Result<()> {
        self.write().links.retain(|_, link| link.user != user || link.provider != provider);
        Ok(())
    }

    async fn set_email(&mut self, id: &ForeignId, email: &Email) -> Result<()> {
        if let Some(link) = self.write().links.get_mut(id) {
            link.email = Some(email.clone());
        }
        Ok(())
    }
}

#[async_trait]
impl StandingRepo for MemoryTx {
    async fn hold(&mut self, id: &ForeignId) -> Result<Standing> {
        Ok(*self.write().standings.entry(id.digest()).or_default())
    }

    async fn set(&mut self, id: &ForeignId, standing: &Standing) -> Result<()> {
        self.write().standings.insert(id.digest(), *standing);
        Ok(())
    }
}

#[async_trait]
impl SignInStepRepo for MemoryTx {
    async fn put(&mut self, digest: &[u8; 32], sealed: &[u8], until: Timestamp, now: Timestamp) -> Result<()> {
        let steps = &mut self.write().sign_in_steps;
        steps.retain(|_, (_, until)| *until > now);
        steps.insert(*digest, (sealed.to_vec(), until));
        Ok(())
    }

    async fn take(&mut self, digest: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>> {
        let found = self.state.sign_in_steps.get(digest).filter(|(_, until)| *until > now).cloned();
        if found.is_some() {
            self.write().sign_in_steps.remove(digest);
        }
        Ok(found.map(|(sealed, _)| sealed))
    }
}

#[async_trait]
impl ForeignIdQueries for MemoryStore {
    async fn user_of(&self, id: &ForeignId) -> Result<Option<UserId>> {
        Ok(self.state().links.get(id).map(|link| link.user))
    }

    async fn of(&self, user: UserId) -> Result<Vec<Link>> {
        Ok(links_of(&self.state(), user))
    }
}

fn links_of(state: &State, user: UserId) -> Vec<Link> {
    let mut links: Vec<Link> = state.links.values().filter(|link| link.user == user).cloned().collect();
    links.sort_by(|one, other| (one.linked_at, &one.provider).cmp(&(other.linked_at, &other.provider)));
    links
}
