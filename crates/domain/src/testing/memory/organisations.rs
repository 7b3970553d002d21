//! Members of seller accounts and invitations in memory.

use std::cmp::Reverse;

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, page_of, state::StoredMember};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{InvitationId, SellerId, UserId},
    identity::Seller,
    organisation::{
        Account, Invitation, Member, MemberRole,
        ports::{OrganisationQueries, OrganisationRepo},
    },
    page::{Page, PageRequest},
};

#[async_trait]
impl OrganisationRepo for MemoryTx {
    async fn accounts_of(&mut self, user: UserId) -> Result<Vec<(SellerId, MemberRole)>> {
        Ok(self.state.accounts_of(user).map(|(stored, member)| (stored.seller.id, member.role)).collect())
    }

    async fn seller(&mut self, seller: SellerId) -> Result<Option<Seller>> {
        Ok(self.state.sellers.get(&seller).map(|stored| stored.seller.clone()))
    }

    async fn member(&mut self, seller: SellerId, user: UserId) -> Result<Option<MemberRole>> {
        let found = self.state.accounts_of(user).find(|(stored, _)| stored.seller.id == seller);
        Ok(found.map(|(_, member)| member.role))
    }

    async fn owners(&mut self, seller: SellerId) -> Result<u64> {
        let stored = self.state.sellers.get(&seller);
        let owners = stored.iter().flat_map(|stored| &stored.members).filter(|one| one.role == MemberRole::Owner);
        Ok(u64::try_from(owners.count()).unwrap_or(u64::MAX))
    }

    async fn others(&mut self, seller: SellerId, but: UserId) -> Result<u64> {
        let stored = self.state.sellers.get(&seller);
        let others = stored.iter().flat_map(|stored| &stored.members).filter(|one| one.user != but);
        Ok(u64::try_from(others.count()).unwrap_or(u64::MAX))
    }

    async fn rename(&mut self, seller: SellerId, name: &str, slug: &str) -> Result<()> {
        if let Some(stored) = self.write().sellers.get_mut(&seller) {
            name.clone_into(&mut stored.seller.name);
            slug.clone_into(&mut stored.seller.slug);
        }
        Ok(())
    }

    async fn put(&mut self, seller: SellerId, user: UserId, role: MemberRole, at: Timestamp) -> Result<()> {
        if let Some(stored) = self.write().sellers.get_mut(&seller) {
            match stored.members.iter_mut().find(|member| member.user == user) {
                Some(member) => member.role = role,
                None => stored.members.push(StoredMember { user, role, since: at }),
            }
        }
        Ok(())
    }

    async fn remove(&mut self, seller: SellerId, user: UserId) -> Result<()> {
        if let Some(stored) = self.write().sellers.get_mut(&seller) {
            stored.members.retain(|member| member.user != user);
        }
        Ok(())
    }

    async fn keep(&mut self, invitation: &Invitation, digest: &[u8; 32]) -> Result<()> {
        self.write().invitations.insert(invitation.id, (invitation.clone(), *digest));
        Ok(())
    }

    async fn invitation(&mut self, id: InvitationId) -> Result<Option<Invitation>> {
        Ok(self.state.invitations.get(&id).map(|(invitation, _)| invitation.clone()))
    }

    async fn invitation_of(&mut self, digest: &[u8; 32]) -> Result<Option<Invitation>> {
        let found = self.state.invitations.values().find(|(_, kept)| kept == digest);
        Ok(found.map(|(invitation, _)| invitation.clone()))
    }

    async fn forget(&mut self, id: InvitationId) -> Result<bool> {
        Ok(self.write().invitations.remove(&id).is_some())
    }

    async fn open_invitations(&mut self, seller: SellerId, now: Timestamp) -> Result<u64> {
        let state = self.write();
        state.invitations.retain(|_, (one, _)| one.seller != seller || one.expires_at > now);
        let left = state.invitations.values().filter(|(one, _)| one.seller == seller).count();
        Ok(u64::try_from(left).unwrap_or(u64::MAX))
    }
}

#[async_trait]
impl OrganisationQueries for MemoryStore {
    async fn accounts(&self, user: UserId) -> Result<Vec<Account>> {
        let state = self.state();
        let account = |seller: &Seller, role| Account { seller: seller.clone(), role };
        Ok(state.accounts_of(user).map(|(stored, member)| account(&stored.seller, member.role)).collect())
    }

    async fn role_in(&self, seller: SellerId, user: UserId) -> Result<Option<MemberRole>> {
        let state = self.state();
        let found = state.accounts_of(user).find(|(stored, _)| stored.seller.id == seller);
        Ok(found.map(|(_, member)| member.role))
    }

    async fn members(&self, seller: SellerId, page: PageRequest) -> Result<Page<Member>> {
        let state = self.state();
        let stored = state.sellers.get(&seller).into_iter().flat_map(|stored| &stored.members);
        let mut members: Vec<Member> = stored
            .filter_map(|member| {
                let name = state.users.get(&member.user)?.user.name.clone();
                Some(Member { user: member.user, name, role: member.role, since: member.since })
            })
            .collect();
        members.sort_by_key(|member| (Reverse(member.role), member.since, member.user));
        Ok(page_of(members, page))
    }

    async fn invitations(&self, seller: SellerId, now: Timestamp, page: PageRequest) -> Result<Page<Invitation>> {
        let state = self.state();
        let all = state.invitations.values().rev().map(|(invitation, _)| invitation.clone());
        Ok(page_of(all.filter(|one| one.seller == seller && one.expires_at > now), page))
    }
}
