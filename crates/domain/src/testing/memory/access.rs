//! Roles, bans and API keys in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, page_of, state::State};
use crate::{
    access::{
        ApiKey, Ban, StoredRole,
        ports::{
            ApiKeyQueries, ApiKeyRepo, BanRepo, HeldKey, KeysOf, PeopleFilter, PeopleQueries, Person, RoleQueries,
            RoleRepo,
        },
    },
    clock::Timestamp,
    error::Result,
    id::{ApiKeyId, RoleId, UserId},
    page::{Page, PageRequest},
    permission::Role,
};

#[async_trait]
impl RoleRepo for MemoryTx {
    async fn insert(&mut self, role: &StoredRole) -> Result<bool> {
        let name = role.role.name().to_owned();
        if self.state.roles.0.contains_key(&name) {
            return Ok(false);
        }
        self.write().roles.0.insert(name, role.clone());
        Ok(true)
    }

    async fn find(&mut self, name: &str) -> Result<Option<StoredRole>> {
        Ok(self.state.roles.0.get(name).cloned())
    }

    async fn update(&mut self, role: &StoredRole) -> Result<()> {
        let state = self.write();
        let Some(before) = state.roles.0.insert(role.role.name().to_owned(), role.clone()) else { return Ok(()) };
        // Who has it has it at its new place.
        for stored in state.users.values_mut().filter(|stored| stored.user.roles.has(before.role)) {
            stored.user.roles = stored.user.roles.clone().without(before.role).with(role.role);
        }
        Ok(())
    }

    async fn delete(&mut self, _: RoleId, role: Role) -> Result<()> {
        let state = self.write();
        state.roles.0.remove(role.name());
        for stored in state.users.values_mut() {
            stored.user.roles = stored.user.roles.clone().without(role);
        }
        Ok(())
    }

    async fn holders(&mut self, role: Role) -> Result<u64> {
        let state = &self.state;
        let holding = state.users.values().filter(|stored| stored.user.roles.has(role));
        let count = holding.filter(|stored| !state.bans.contains_key(&stored.user.id)).count();
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

#[async_trait]
impl RoleQueries for MemoryStore {
    async fn all(&self) -> Result<Vec<StoredRole>> {
        let mut roles: Vec<_> = self.state().roles.0.values().cloned().collect();
        roles.sort_by_key(|stored| stored.role);
        Ok(roles)
    }
}

#[async_trait]
impl BanRepo for MemoryTx {
    async fn find(&mut self, user: UserId) -> Result<Option<Ban>> {
        Ok(self.state.bans.get(&user).cloned())
    }

    async fn put(&mut self, ban: &Ban) -> Result<()> {
        self.write().bans.insert(ban.user, ban.clone());
        Ok(())
    }

    async fn lift(&mut self, user: UserId) -> Result<bool> {
        Ok(self.write().bans.remove(&user).is_some())
    }
}

fn person(state: &State, id: UserId) -> Option<Person> {
    let user = state.users.get(&id)?.user.clone();
    Some(Person { user, sellers: state.sellers_of(id), ban: state.bans.get(&id).cloned() })
}

#[async_trait]
impl PeopleQueries for MemoryStore {
    async fn people(&self, filter: &PeopleFilter, page: PageRequest) -> Result<Page<Person>> {
        let state = self.state();
        let search = filter.search.as_ref().map(|text| text.to_ascii_lowercase());
        let fits = |person: &Person| {
            let begins =
                |text: &str| search.as_ref().is_none_or(|search| text.to_ascii_lowercase().starts_with(search));
            let found = begins(person.user.email.as_str()) || begins(&person.user.name);
            let has = |role: &String| person.user.roles.iter().any(|one| one.name() == role);
            found
                && filter.role.as_ref().is_none_or(has)
                && filter.banned.is_none_or(|banned| banned == person.ban.is_some())
        };
        let newest = state
            .users
            .keys()
            .rev()
            .filter(|id| !state.erased.contains(id))
            .filter_map(|id| person(&state, *id))
            .filter(fits);
        Ok(page_of(newest, page))
    }

    async fn person(&self, id: UserId) -> Result<Option<Person>> {
        let state = self.state();
        Ok(if state.erased.contains(&id) { None } else { person(&state, id) })
    }
}

fn is_of(key: &ApiKey, of: KeysOf) -> bool {
    match of {
        KeysOf::User(user) => key.user == user && key.seller.is_none(),
        KeysOf::Seller(seller) => key.seller == Some(seller),
    }
}

#[async_trait]
impl ApiKeyRepo for MemoryTx {
    async fn insert(&mut self, key: &ApiKey, digest: &[u8; 32]) -> Result<()> {
        self.write().api_keys.insert(key.id, HeldKey { key: key.clone(), digest: *digest });
        Ok(())
    }

    async fn find(&mut self, id: ApiKeyId) -> Result<Option<ApiKey>> {
        Ok(self.state.api_keys.get(&id).map(|held| held.key.clone()))
    }

    async fn update(&mut self, key: &ApiKey) -> Result<()> {
        if let Some(held) = self.write().api_keys.get_mut(&key.id) {
            held.key.name.clone_from(&key.name);
            held.key.models.clone_from(&key.models);
        }
        Ok(())
    }

    async fn delete(&mut self, id: ApiKeyId) -> Result<()> {
        self.write().api_keys.remove(&id);
        Ok(())
    }

    async fn count(&mut self, of: KeysOf) -> Result<u64> {
        let count = self.state.api_keys.values().filter(|held| is_of(&held.key, of)).count();
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

#[async_trait]
impl ApiKeyQueries for MemoryStore {
    async fn held(&self, id: ApiKeyId) -> Result<Option<HeldKey>> {
        let state = self.state();
        let rests = |held: &&HeldKey| held.key.seller.is_none() && state.deletions.contains_key(&held.key.user);
        Ok(state.api_keys.get(&id).filter(|held| !rests(held)).cloned())
    }

    async fn get(&self, id: ApiKeyId) -> Result<Option<ApiKey>> {
        Ok(self.state().api_keys.get(&id).map(|held| held.key.clone()))
    }

    async fn list(&self, of: KeysOf, page: PageRequest) -> Result<Page<ApiKey>> {
        let state = self.state();
        let keys = state.api_keys.values().rev().map(|held| held.key.clone());
        Ok(page_of(keys.filter(|key| is_of(key, of)), page))
    }

    async fn used(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<()> {
        let mut shared = self.shared();
        let state = std::sync::Arc::make_mut(&mut shared.state);
        for (id, at) in uses {
            if let Some(held) = state.api_keys.get_mut(id) {
                held.key.last_used_at = held.key.last_used_at.max(Some(*at));
            }
        }
        Ok(())
    }
}
