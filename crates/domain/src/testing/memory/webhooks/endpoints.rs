//! Endpoints in memory, and what their owners see of messages.

use std::cmp::Reverse;

use async_trait::async_trait;

use super::{
    super::{MemoryStore, MemoryTx, page_of},
    StoredEndpoint, StoredMessage,
};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{EndpointId, UserId, WebhookMessageId},
    organisation::MemberRole,
    page::{Page, PageRequest},
    webhooks::{
        Attempt, Cause, Endpoint, Message, MessageState, NewMessage, Owner, StoredSecret,
        ports::{MessageFilter, Stats, WebhookQueries, WebhookRepo},
    },
};

#[async_trait]
impl WebhookRepo for MemoryTx {
    async fn insert(&mut self, endpoint: &Endpoint, secret: &StoredSecret) -> Result<()> {
        let (endpoint, secrets) = (endpoint.clone(), vec![secret.clone()]);
        let stored = StoredEndpoint { endpoint, secrets, rested_until: None, spent_until: None };
        self.write().webhooks.endpoints.insert(stored.endpoint.id, stored);
        Ok(())
    }

    async fn find(&mut self, id: EndpointId) -> Result<Option<Endpoint>> {
        Ok(self.state.webhooks.endpoints.get(&id).map(|stored| stored.endpoint.clone()))
    }

    async fn update(&mut self, endpoint: &Endpoint) -> Result<()> {
        if let Some(stored) = self.write().webhooks.endpoints.get_mut(&endpoint.id) {
            stored.endpoint = endpoint.clone();
        }
        Ok(())
    }

    async fn delete(&mut self, id: EndpointId) -> Result<()> {
        self.write().webhooks.remove(id);
        Ok(())
    }

    async fn count(&mut self, owner: Owner) -> Result<u64> {
        let own = self.state.webhooks.endpoints.values().filter(|stored| stored.endpoint.owner == owner);
        Ok(u64::try_from(own.count()).unwrap_or(u64::MAX))
    }

    async fn secrets(&mut self, id: EndpointId) -> Result<Vec<StoredSecret>> {
        Ok(self.state.webhooks.endpoints.get(&id).map(|stored| stored.secrets.clone()).unwrap_or_default())
    }

    async fn put_secrets(&mut self, id: EndpointId, secrets: &[StoredSecret]) -> Result<()> {
        if let Some(stored) = self.write().webhooks.endpoints.get_mut(&id) {
            stored.secrets = secrets.to_vec();
            stored.secrets.sort_by_key(|secret| Reverse(secret.number));
        }
        Ok(())
    }

    async fn keepers(&mut self, endpoint: &Endpoint) -> Result<Vec<UserId>> {
        let Owner::Seller(seller) = endpoint.owner else { return Ok(vec![endpoint.made_by]) };
        let members = self.state.sellers.get(&seller).map(|stored| stored.members.as_slice()).unwrap_or_default();
        Ok(members.iter().filter(|member| member.role == MemberRole::Owner).map(|member| member.user).collect())
    }

    async fn give_up(&mut self, id: EndpointId, now: Timestamp) -> Result<u64> {
        let webhooks = &mut self.write().webhooks;
        let waiting = webhooks
            .messages
            .values_mut()
            .filter(|stored| stored.message.endpoint == id && stored.message.state == MessageState::Waiting);
        let mut given_up = 0;
        for stored in waiting {
            stored.finish(MessageState::Failed, Some(Cause::Off), now);
            given_up += 1;
        }
        Ok(given_up)
    }

    async fn add(&mut self, message: &NewMessage) -> Result<()> {
        self.write().webhooks.messages.insert(message.id, StoredMessage::new(message));
        Ok(())
    }

    async fn revive(&mut self, id: EndpointId, message: WebhookMessageId, now: Timestamp) -> Result<Option<bool>> {
        let found = self.state.webhooks.messages.get(&message).filter(|stored| stored.message.endpoint == id);
        let Some(found) = found else { return Ok(None) };
        if found.is_open() {
            return Ok(Some(false));
        }
        Ok(Some(self.write().webhooks.revive(|stored| stored.message.id == message, now, 1) == 1))
    }

    async fn recover(&mut self, id: EndpointId, since: Timestamp, now: Timestamp, limit: u32) -> Result<u64> {
        let failed = |stored: &StoredMessage| {
            let message = &stored.message;
            message.endpoint == id && message.state == MessageState::Failed && message.created_at >= since
        };
        Ok(self.write().webhooks.revive(failed, now, usize::try_from(limit).unwrap_or(usize::MAX)))
    }
}

#[async_trait]
impl WebhookQueries for MemoryStore {
    async fn get(&self, id: EndpointId) -> Result<Option<Endpoint>> {
        Ok(self.state().webhooks.endpoints.get(&id).map(|stored| stored.endpoint.clone()))
    }

    async fn list(&self, owner: Owner, page: PageRequest) -> Result<Page<Endpoint>> {
        let state = self.state();
        let own = state.webhooks.endpoints.values().rev().filter(|stored| stored.endpoint.owner == owner);
        Ok(page_of(own.map(|stored| stored.endpoint.clone()), page))
    }

    async fn secrets(&self, id: EndpointId) -> Result<Vec<StoredSecret>> {
        Ok(self.state().webhooks.endpoints.get(&id).map(|stored| stored.secrets.clone()).unwrap_or_default())
    }

    async fn messages(&self, id: EndpointId, filter: MessageFilter, page: PageRequest) -> Result<Page<Message>> {
        let state = self.state();
        let mut found: Vec<_> = state.webhooks.of(id).map(|stored| stored.message.clone()).collect();
        found.retain(|message| filter.state.is_none_or(|state| message.state == state));
        found.retain(|message| filter.kind.is_none_or(|kind| message.kind == kind));
        found.sort_by_key(|message| Reverse(message.id));
        Ok(page_of(found, page))
    }

    async fn message(&self, id: EndpointId, message: WebhookMessageId) -> Result<Option<Message>> {
        let state = self.state();
        let found = state.webhooks.messages.get(&message).filter(|stored| stored.message.endpoint == id);
        Ok(found.map(|stored| stored.message.clone()))
    }

    async fn attempts(&self, message: WebhookMessageId, page: PageRequest) -> Result<Page<Attempt>> {
        let state = self.state();
        let attempts = state.webhooks.messages.get(&message).map(|stored| stored.attempts.clone()).unwrap_or_default();
        Ok(page_of(attempts.into_iter().rev(), page))
    }

    async fn stats(&self, id: EndpointId, day: Timestamp) -> Result<Stats> {
        let state = self.state();
        let mut told = Stats::default();
        let mut millis = 0;
        for stored in state.webhooks.of(id) {
            match stored.message.state {
                MessageState::Waiting | MessageState::Sending => {
                    told.open += 1;
                    let since = stored.message.created_at;
                    told.waiting_since = Some(told.waiting_since.map_or(since, |first| first.min(since)));
                }
                MessageState::Delivered => told.delivered += 1,
                MessageState::Failed => told.failed += 1,
            }
            for attempt in stored.attempts.iter().filter(|attempt| attempt.at >= day) {
                told.attempts += 1;
                told.failures += u64::from(attempt.fault.is_some());
                millis += attempt.millis;
            }
        }
        told.mean_millis = (told.attempts > 0).then(|| millis / told.attempts);
        Ok(told)
    }
}
