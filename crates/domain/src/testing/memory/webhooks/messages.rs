//! Messages in memory, as the dispatcher sees them.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use super::{super::MemoryStore, StoredEndpoint, StoredMessage, Webhooks};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{EndpointId, WebhookMessageId},
    webhooks::{
        Algorithm, Endpoint, Finished, MessageState, NewMessage, Rate, Settled,
        ports::{Ask, Depth, Dispatch, Lane, Taken},
    },
};

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
            signing: stored.signs_with(now),
        };
        Ok(lanes.map(lane).collect())
    }

    async fn signing(&self, endpoint: EndpointId, now: Timestamp) -> Result<Vec<(Algorithm, Vec<u8>)>> {
        let state = self.state();
        let secrets = state.webhooks.endpoints.get(&endpoint).into_iter().flat_map(|stored| stored.signing(now));
        Ok(secrets.map(|secret| (secret.algorithm, secret.sealed.clone())).collect())
    }

    async fn take(&self, asks: &[Ask]) -> Result<Vec<Taken>> {
        Ok(self.change(|state| asks.iter().flat_map(|ask| state.webhooks.take(ask)).collect()))
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

impl Webhooks {
    fn take(&mut self, ask: &Ask) -> Vec<Taken> {
        let Some(stored) = self.endpoints.get(&ask.endpoint) else { return Vec::new() };
        let spent = stored.spent_until;
        let rate = ask.per_minute.map(Rate::per_minute);
        let most = rate.map_or(ask.most, |rate| ask.most.min(rate.allowed(spent, ask.now)));
        let mut due: Vec<_> = self
            .of(ask.endpoint)
            .filter(|one| one.message.state == MessageState::Waiting && one.due <= ask.now)
            .filter(|one| !self.is_held_up(one))
            .map(|one| (one.due, one.seq, one.message.id))
            .collect();
        due.sort();
        due.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        let mut taken = Vec::new();
        for (.., id) in due {
            let Some(one) = self.messages.get_mut(&id) else { continue };
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
        if let (Some(rate), Some(stored)) = (rate, self.endpoints.get_mut(&ask.endpoint))
            && calls > 0
        {
            stored.spent_until = Some(rate.spend(spent, ask.now, calls));
        }
        taken
    }
}
