//! Webhooks in memory.

mod endpoints;
mod messages;

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    clock::Timestamp,
    id::{EndpointId, UserId, WebhookMessageId},
    webhooks::{Attempt, Cause, Endpoint, Message, MessageState, NewMessage, Owner, StoredSecret, ports::Signing},
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

impl StoredEndpoint {
    /// The secrets that sign at this moment.
    fn signing(&self, now: Timestamp) -> impl Iterator<Item = &StoredSecret> {
        self.secrets.iter().filter(move |secret| secret.expires_at.is_none_or(|end| end > now))
    }

    fn signs_with(&self, now: Timestamp) -> Signing {
        let newest = self.secrets.first().map_or(0, |secret| secret.number);
        Signing { newest, many: u32::try_from(self.signing(now).count()).unwrap_or(u32::MAX) }
    }
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
