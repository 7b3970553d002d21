//! Webhooks in memory.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use uuid::Uuid;

use super::{MemoryStore, MemoryTx, page_of};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{EndpointId, UserId, WebhookMessageId},
    organisation::MemberRole,
    page::{Page, PageRequest},
    webhooks::{
        Algorithm, Attempt, Cause, Endpoint, Finished, Message, MessageState, NewMessage, Owner, Rate, Settled,
        StoredSecret,
        ports::{Ask, Depth, Dispatch, Lane, MessageFilter, Stats, Taken, WebhookQueries, WebhookRepo},
    },
};

/// Endpoints and their messages.
#[derive(Debug, Clone, Default)]
pub(super) struct Webhooks {
    endpoints: BTreeMap<EndpointId, StoredEndpoint>,
    messages: BTreeMap<WebhookMessageId, StoredMessage>,
    cursor: u64,
}

#[derive(Debug, Clone)]
struct StoredEndpoint {
    endpoint: Endpoint,
    secrets: Vec<StoredSecret>,
    rested_until: Option<Timestamp>,
    spent_until: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct StoredMessage {
    message: Message,
    seq: u64,
    key: Option<Uuid>,
    place: u32,
    due: Timestamp,
    fence: u64,
    lease_until: Option<Timestamp>,
    attempts: Vec<Attempt>,
}

impl StoredMessage {
    fn new(new: &NewMessage) -> Self {
        let message = Message {
            id: new.id,
            endpoint: new.endpoint,
            event: new.event,
            kind: new.kind,
            body: new.body.clone(),
            state: MessageState::Waiting,
            cause: None,
            attempts: 0,
            next_attempt_at: Some(new.created_at),
            created_at: new.created_at,
            finished_at: None,
        };
        let (seq, key, due) = (new.seq, new.key, new.created_at);
        Self { message, seq, key, place: 0, due, fence: 0, lease_until: None, attempts: Vec::new() }
    }

    fn is_open(&self) -> bool {
        self.message.finished_at.is_none()
    }

    fn wait(&mut self, due: Timestamp) {
        self.message.state = MessageState::Waiting;
        self.message.next_attempt_at = Some(due);
        self.message.cause = None;
        self.message.finished_at = None;
        self.due = due;
        self.lease_until = None;
    }

    fn finish(&mut self, state: MessageState, cause: Option<Cause>, now: Timestamp) {
        self.message.state = state;
        self.message.cause = cause;
        self.message.next_attempt_at = None;
        self.message.finished_at = Some(now);
        self.lease_until = None;
    }
}

impl Webhooks {
    /// Forgets what is a person's alone.
    pub(super) fn forget(&mut self, id: UserId) {
        let own = |owner| owner == Owner::Person(id);
        let gone: Vec<_> =
            self.endpoints.values().filter(|one| own(one.endpoint.owner)).map(|one| one.endpoint.id).collect();
        for id in gone {
            self.remove(id);
        }
    }

    fn remove(&mut self, id: EndpointId) {
        self.endpoints.remove(&id);
        self.messages.retain(|_, stored| stored.message.endpoint != id);
    }

    fn of(&self, id: EndpointId) -> impl Iterator<Item = &StoredMessage> {
        self.messages.values().filter(move |stored| stored.message.endpoint == id)
    }

    fn revive(&mut self, of: impl Fn(&StoredMessage) -> bool, now: Timestamp, limit: usize) -> u64 {
        let found = self.messages.values_mut().filter(|stored| of(stored)).take(limit);
        let mut revived = 0;
        for stored in found {
            stored.place = 0;
            stored.wait(now);
            revived += 1;
        }
        revived
    }

    /// Whether an earlier message with the same key is not at its end.
    fn is_held_up(&self, one: &StoredMessage) -> bool {
        one.key.is_some()
            && self.of(one.message.endpoint).any(|other| other.key == one.key && other.seq < one.seq && other.is_open())
    }

    fn held(&mut self, id: WebhookMessageId, fence: u64) -> Option<&mut StoredMessage> {
        let stored = self.messages.get_mut(&id)?;
        (stored.message.state == MessageState::Sending && stored.fence == fence).then_some(stored)
    }
}

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

#[async_trait]
impl Dispatch for MemoryStore {
    async fn cursor(&self) -> Result<u64> {
        Ok(self.state().webhooks.cursor)
    }

    async fn listeners(&self) -> Result<Vec<Endpoint>> {
        let state = self.state();
        let on = state.webhooks.endpoints.values().map(|stored| &stored.endpoint).filter(|endpoint| endpoint.is_on());
        Ok(on.cloned().collect())
    }

    async fn fan_out(&self, from: u64, to: u64, messages: &[NewMessage]) -> Result<bool> {
        Ok(self.change(|state| {
            let webhooks = &mut state.webhooks;
            if webhooks.cursor != from {
                return false;
            }
            webhooks.cursor = to;
            for new in messages {
                let endpoint = webhooks.endpoints.get(&new.endpoint);
                if endpoint.is_some_and(|stored| stored.endpoint.is_on()) {
                    webhooks.messages.insert(new.id, StoredMessage::new(new));
                }
            }
            true
        }))
    }

    async fn lanes(&self, now: Timestamp) -> Result<Vec<Lane>> {
        let state = self.state();
        let alone = |until: Option<Timestamp>| until.is_some_and(|until| until > now);
        let due = |id| {
            let waits = |one: &StoredMessage| one.message.state == MessageState::Waiting && one.due <= now;
            state.webhooks.of(id).any(waits)
        };
        let lanes = state.webhooks.endpoints.values().filter(|stored| {
            let endpoint = &stored.endpoint;
            endpoint.is_on() && !alone(endpoint.circuit_until) && !alone(stored.rested_until) && due(endpoint.id)
        });
        let lane = |stored: &StoredEndpoint| Lane {
            endpoint: stored.endpoint.id,
            url: stored.endpoint.url.clone(),
            per_minute: stored.endpoint.per_minute,
            careful: stored.endpoint.circuit_until.is_some(),
        };
        Ok(lanes.map(lane).collect())
    }

    async fn signing(&self, endpoint: EndpointId, now: Timestamp) -> Result<Vec<(Algorithm, Vec<u8>)>> {
        let secrets = WebhookQueries::secrets(self, endpoint).await?.into_iter();
        let holds = secrets.filter(|secret| secret.expires_at.is_none_or(|end| end > now));
        Ok(holds.map(|secret| (secret.algorithm, secret.sealed)).collect())
    }

    async fn take(&self, ask: &Ask) -> Result<Vec<Taken>> {
        Ok(self.change(|state| {
            let webhooks = &mut state.webhooks;
            let Some(stored) = webhooks.endpoints.get(&ask.endpoint) else { return Vec::new() };
            let spent = stored.spent_until;
            let rate = ask.per_minute.map(Rate::per_minute);
            let most = rate.map_or(ask.most, |rate| ask.most.min(rate.allowed(spent, ask.now)));
            let mut due: Vec<_> = webhooks
                .of(ask.endpoint)
                .filter(|one| one.message.state == MessageState::Waiting && one.due <= ask.now)
                .filter(|one| !webhooks.is_held_up(one))
                .map(|one| (one.due, one.seq, one.message.id))
                .collect();
            due.sort();
            due.truncate(usize::try_from(most).unwrap_or(usize::MAX));
            let mut taken = Vec::new();
            for (.., id) in due {
                let Some(one) = webhooks.messages.get_mut(&id) else { continue };
                one.message.state = MessageState::Sending;
                one.fence += 1;
                one.lease_until = Some(ask.until);
                taken.push(Taken {
                    id,
                    endpoint: ask.endpoint,
                    fence: one.fence,
                    attempts: one.message.attempts,
                    place: one.place,
                    ordered: one.key.is_some(),
                    body: one.message.body.clone(),
                    created_at: one.message.created_at,
                });
            }
            let calls = u32::try_from(taken.len()).unwrap_or(u32::MAX);
            if let (Some(rate), Some(stored)) = (rate, webhooks.endpoints.get_mut(&ask.endpoint))
                && calls > 0
            {
                stored.spent_until = Some(rate.spend(spent, ask.now, calls));
            }
            taken
        }))
    }

    async fn extend(&self, held: &[(WebhookMessageId, u64)], until: Timestamp) -> Result<()> {
        self.change(|state| {
            for (id, fence) in held {
                if let Some(stored) = state.webhooks.held(*id, *fence) {
                    stored.lease_until = Some(until);
                }
            }
        });
        Ok(())
    }

    async fn take_back(&self, now: Timestamp) -> Result<u64> {
        Ok(self.change(|state| {
            let mut back = 0;
            for stored in state.webhooks.messages.values_mut() {
                if stored.message.state == MessageState::Sending && stored.lease_until.is_some_and(|end| end <= now) {
                    stored.wait(now);
                    back += 1;
                }
            }
            back
        }))
    }

    async fn release(&self, held: &[(WebhookMessageId, u64)]) -> Result<()> {
        self.change(|state| {
            for (id, fence) in held {
                if let Some(stored) = state.webhooks.held(*id, *fence) {
                    stored.wait(stored.due);
                }
            }
        });
        Ok(())
    }

    async fn settle(&self, finished: &[Finished], now: Timestamp) -> Result<Vec<(EndpointId, Timestamp)>> {
        Ok(self.change(|state| {
            let webhooks = &mut state.webhooks;
            let mut well: BTreeMap<EndpointId, bool> = BTreeMap::new();
            for one in finished {
                let Some(stored) = webhooks.held(one.message, one.fence) else { continue };
                stored.message.attempts += 1;
                stored.attempts.push(one.attempt.clone());
                let delivered = one.settled == Settled::Delivered;
                let noted = well.entry(one.endpoint).or_default();
                *noted = *noted || delivered;
                match one.settled {
                    Settled::Delivered => stored.finish(MessageState::Delivered, None, now),
                    Settled::GivenUp(cause) => stored.finish(MessageState::Failed, Some(cause), now),
                    Settled::Again(at) => {
                        stored.place += 1;
                        stored.wait(at);
                        let (key, seq) = (stored.key, stored.seq);
                        // What is behind it waits as long.
                        for behind in webhooks.messages.values_mut().filter(|behind| {
                            one.ordered
                                && behind.key == key
                                && behind.message.endpoint == one.endpoint
                                && behind.seq > seq
                                && behind.message.state == MessageState::Waiting
                                && behind.due < at
                        }) {
                            behind.wait(at);
                        }
                    }
                }
            }
            let mut failing = Vec::new();
            for (id, well) in well {
                let Some(stored) = webhooks.endpoints.get_mut(&id) else { continue };
                if well {
                    stored.endpoint.failing_since = None;
                } else {
                    failing.push((id, *stored.endpoint.failing_since.get_or_insert(now)));
                }
            }
            failing
        }))
    }

    async fn rest(&self, endpoint: EndpointId, until: Timestamp) -> Result<()> {
        self.change(|state| {
            if let Some(stored) = state.webhooks.endpoints.get_mut(&endpoint) {
                stored.rested_until = Some(until);
            }
        });
        Ok(())
    }

    async fn circuit(&self, endpoint: EndpointId, until: Option<Timestamp>) -> Result<()> {
        self.change(|state| {
            if let Some(stored) = state.webhooks.endpoints.get_mut(&endpoint) {
                stored.endpoint.circuit_until = until;
            }
        });
        Ok(())
    }

    async fn depth(&self, late: Timestamp) -> Result<Depth> {
        let state: Arc<_> = self.state();
        let mut depth = Depth::default();
        for stored in state.webhooks.messages.values().filter(|stored| stored.is_open()) {
            depth.open += 1;
            depth.late += u64::from(stored.message.state == MessageState::Waiting && stored.due <= late);
        }
        let open = state.webhooks.endpoints.values().filter(|stored| stored.endpoint.circuit_until.is_some());
        depth.circuits = u64::try_from(open.count()).unwrap_or(u64::MAX);
        Ok(depth)
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
        Ok(self.change(|state| {
            let old = state.webhooks.messages.values().filter(|one| one.message.created_at < before && !one.is_open());
            let old: Vec<_> =
                old.map(|one| one.message.id).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
            for id in &old {
                state.webhooks.messages.remove(id);
            }
            u64::try_from(old.len()).unwrap_or(u64::MAX)
        }))
    }
}
