//! People and seller accounts in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{
    MemoryStore, MemoryTx,
    state::{State, StoredMember, StoredSeller, StoredUser},
};
use crate::{
    actor::Principal,
    clock::Timestamp,
    error::Result,
    id::{SellerId, UserId},
    identity::{
        Email, GuestQueries, NO_PASSWORD, Profile, Pseudonym, Seller, User,
        ports::{Account, Owner, SellerRepo, UserQueries, UserRepo},
    },
    organisation::MemberRole,
    permission::Role,
};

#[async_trait]
impl UserRepo for MemoryTx {
    async fn insert(&mut self, user: &User, password_hash: &str) -> Result<bool> {
        if self.state.users.values().any(|stored| stored.user.email == user.email) {
            return Ok(false);
        }
        let stored = StoredUser { user: user.clone(), password_hash: password_hash.to_owned() };
        self.write().users.insert(user.id, stored);
        Ok(true)
    }

    async fn by_email(&mut self, email: &Email) -> Result<Option<UserId>> {
        Ok(self.state.users.values().find(|stored| stored.user.email == *email).map(|stored| stored.user.id))
    }

    async fn find(&mut self, id: UserId) -> Result<Option<User>> {
        Ok(self.state.users.get(&id).map(|stored| stored.user.clone()))
    }

    async fn grant(&mut self, id: UserId, role: Role, at: Timestamp) -> Result<()> {
        if let Some(stored) = self.write().users.get_mut(&id)
            && !stored.user.roles.has(role)
        {
            stored.user.roles = stored.user.roles.clone().with(role);
            stored.user.updated_at = at;
        }
        Ok(())
    }

    async fn revoke(&mut self, id: UserId, role: Role, at: Timestamp) -> Result<()> {
        if let Some(stored) = self.write().users.get_mut(&id)
            && stored.user.roles.has(role)
        {
            stored.user.roles = stored.user.roles.clone().without(role);
            stored.user.updated_at = at;
        }
        Ok(())
    }

    async fn set_email(
        &mut self,
        id: UserId,
        email: &Email,
        verified: Option<Timestamp>,
        at: Timestamp,
    ) -> Result<bool> {
        if self.state.users.values().any(|stored| stored.user.email == *email && stored.user.id != id) {
            return Ok(false);
        }
        if let Some(stored) = self.write().users.get_mut(&id) {
            stored.user.email = email.clone();
            stored.user.email_verified_at = verified;
            stored.user.updated_at = at;
        }
        Ok(true)
    }

    async fn set_name(&mut self, id: UserId, name: &str, at: Timestamp) -> Result<()> {
        if let Some(stored) = self.write().users.get_mut(&id) {
            name.clone_into(&mut stored.user.name);
            stored.user.updated_at = at;
        }
        Ok(())
    }

    async fn deletion(&mut self, id: UserId) -> Result<Option<Timestamp>> {
        Ok(self.state.deletions.get(&id).copied())
    }

    async fn set_deletion(&mut self, id: UserId, due: Option<Timestamp>) -> Result<()> {
        let deletions = &mut self.write().deletions;
        match due {
            Some(due) => deletions.insert(id, due),
            None => deletions.remove(&id),
        };
        Ok(())
    }

    async fn erase(&mut self, id: UserId, pseudonym: &Pseudonym, at: Timestamp) -> Result<()> {
        self.write().erase(id, pseudonym, at);
        Ok(())
    }

    async fn has_password(&mut self, id: UserId) -> Result<bool> {
        Ok(self.state.users.get(&id).is_some_and(|stored| stored.password_hash != NO_PASSWORD))
    }

    async fn set_password_hash(&mut self, id: UserId, hash: &str, at: Timestamp) -> Result<()> {
        if let Some(stored) = self.write().users.get_mut(&id) {
            hash.clone_into(&mut stored.password_hash);
            stored.user.updated_at = at;
        }
        Ok(())
    }
}

#[async_trait]
impl SellerRepo for MemoryTx {
    async fn insert(&mut self, seller: &Seller, member: UserId) -> Result<bool> {
        let slug_taken = self.state.sellers.values().any(|stored| stored.seller.slug == seller.slug);
        if slug_taken {
            return Ok(false);
        }
        let stored = StoredSeller {
            seller: seller.clone(),
            members: vec![StoredMember { user: member, role: MemberRole::Owner, since: seller.created_at }],
        };
        self.write().sellers.insert(seller.id, stored);
        Ok(true)
    }

    async fn of_member(&mut self, user: UserId) -> Result<Option<SellerId>> {
        Ok(self.state.accounts_of(user).next().map(|(stored, _)| stored.seller.id))
    }

    async fn by_slug(&mut self, slug: &str) -> Result<Option<Owner>> {
        let found = self.state.sellers.values().find(|stored| stored.seller.slug == slug);
        Ok(found.and_then(StoredSeller::owner))
    }

    async fn oldest(&mut self, limit: u32) -> Result<Vec<Owner>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.state.sellers.values().filter_map(StoredSeller::owner).take(limit).collect())
    }
}

#[async_trait]
impl UserQueries for MemoryStore {
    async fn principal(&self, id: UserId) -> Result<Option<Principal>> {
        let state = self.state();
        let gone = |id| state.bans.contains_key(id) || state.erased.contains(id);
        let found = state.users.get(&id).filter(|stored| !gone(&stored.user.id));
        Ok(found.map(|stored| {
            let roles = stored.user.roles.clone();
            let permissions = state.permissions(&roles);
            Principal::new(id, roles, permissions, state.sellers_of(id))
        }))
    }

    async fn account(&self, email: &Email) -> Result<Option<Account>> {
        let state = self.state();
        Ok(state.users.values().find(|stored| stored.user.email == *email).map(|stored| account(&state, stored)))
    }

    async fn hash_from(&self, address: &str) -> Result<Option<String>> {
        let state = self.state();
        let hashes: BTreeMap<_, _> =
            state.users.values().map(|stored| (stored.user.email.as_str(), &stored.password_hash)).collect();
        let found = hashes.range(address..).next().or_else(|| hashes.first_key_value());
        Ok(found.map(|(_, hash)| (*hash).clone()))
    }

    async fn own_account(&self, id: UserId) -> Result<Option<Account>> {
        let state = self.state();
        Ok(state.users.get(&id).map(|stored| account(&state, stored)))
    }

    async fn deletion(&self, id: UserId) -> Result<Option<Timestamp>> {
        Ok(self.state().deletions.get(&id).copied())
    }

    async fn profile(&self, id: UserId) -> Result<Option<Profile>> {
        let state = self.state();
        let seller = state.sellers_of(id).sole();
        Ok(state.users.get(&id).map(|stored| Profile { user: stored.user.clone(), seller }))
    }
}

fn account(state: &State, stored: &StoredUser) -> Account {
    Account {
        user: stored.user.clone(),
        seller: state.sellers_of(stored.user.id).sole(),
        ban: state.bans.get(&stored.user.id).cloned(),
        password_hash: stored.password_hash.clone(),
    }
}

#[async_trait]
impl GuestQueries for MemoryStore {
    async fn came_before(&self, before: Timestamp, limit: u32) -> Result<Vec<UserId>> {
        let state = self.state();
        let guests = state.users.values().filter(|stored| stored.user.roles.has(Role::Guest));
        let mut due: Vec<_> =
            guests.map(|stored| (stored.user.created_at, stored.user.id)).filter(|(came, _)| *came < before).collect();
        due.sort_unstable();
        Ok(due.into_iter().map(|(_, id)| id).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }
}
