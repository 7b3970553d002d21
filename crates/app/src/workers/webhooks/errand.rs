//! What the store is told and asked while calls go on.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use domain::{
    Error, Result,
    clock::Timestamp,
    id::{EndpointId, WebhookMessageId},
    webhooks::{
        Finished, Off, SecretText, disable_endpoint,
        ports::{Ask, Lane, Signing, Taken},
        seal_context,
    },
};

use super::Dispatcher;

/// A message in our hands, with its fence.
pub(super) type Held = (WebhookMessageId, u64);

/// What is to be noted of an endpoint.
#[derive(Clone, Copy)]
pub(super) enum Note {
    /// It is left alone until then.
    Rest(EndpointId, Timestamp),
    /// Its circuit is opened until then, or closed.
    Circuit(EndpointId, Option<Timestamp>),
}

/// What a desk knows of an endpoint before it looks.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// How many more messages there is room for.
    pub(super) room: u32,
    /// Which secrets it signs with.
    pub(super) signing: Option<Signing>,
}

/// A look at what is due.
pub(super) struct Look {
    pub(super) known: HashMap<EndpointId, Known>,
    /// How many messages there is room for of endpoints that are not among them.
    pub(super) room: u32,
}

/// What is to be done, in this order. What is done is taken out.
#[derive(Default)]
pub(super) struct Errand {
    /// Attempts that ended.
    pub(super) finished: Vec<Finished>,
    pub(super) notes: VecDeque<Note>,
    /// Messages to be given back.
    pub(super) back: Vec<Held>,
    /// Endpoints to be switched off.
    pub(super) off: VecDeque<(EndpointId, Off)>,
    /// Messages that are kept for longer: a sign of life.
    pub(super) kept: Option<Vec<Held>>,
    pub(super) look: Option<Look>,
}

/// What was taken for an endpoint.
pub(super) struct Catch {
    pub(super) lane: Lane,
    /// What signs from now on, where it was not known.
    pub(super) secrets: Option<Vec<SecretText>>,
    /// Whether more is likely to be due.
    pub(super) more: bool,
    pub(super) taken: Vec<Taken>,
}

/// How an errand ended.
#[derive(Default)]
pub(super) struct Done {
    /// What is still to be done.
    pub(super) left: Errand,
    pub(super) stored: Vec<Finished>,
    /// Endpoints that were switched off.
    pub(super) off: Vec<EndpointId>,
    pub(super) released: Vec<Held>,
    pub(super) caught: Vec<Catch>,
    pub(super) error: Option<Error>,
}

impl Errand {
    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        let Self { finished, notes, off, back, kept, look } = self;
        finished.is_empty() && notes.is_empty() && off.is_empty() && back.is_empty() && kept.is_none() && look.is_none()
    }

    /// Does all of it, up to the first error.
    pub(super) async fn run(mut self, with: Arc<Dispatcher>) -> Done {
        let mut done = Done::default();
        done.error = self.steps(&with, &mut done).await.err();
        done.left = self;
        done
    }

    async fn steps(&mut self, with: &Dispatcher, done: &mut Done) -> Result<()> {
        let now = with.shop.now();
        if !self.finished.is_empty() {
            let failing = with.dispatch.settle(&self.finished, now).await?;
            done.stored = std::mem::take(&mut self.finished);
            let too_long = failing.into_iter().filter(|(_, since)| *since + with.endured <= now);
            self.off.extend(too_long.map(|(endpoint, _)| (endpoint, Off::Failing)));
        }
        while let Some(note) = self.notes.front().copied() {
            match note {
                Note::Rest(endpoint, until) => with.dispatch.rest(endpoint, until).await?,
                Note::Circuit(endpoint, until) => with.dispatch.circuit(endpoint, until).await?,
            }
            self.notes.pop_front();
        }
        // Before endpoints are switched off, so that it is given up with what waits.
        if !self.back.is_empty() {
            with.dispatch.release(&self.back).await?;
            done.released = std::mem::take(&mut self.back);
        }
        while let Some((endpoint, why)) = self.off.front().copied() {
            if disable_endpoint(&with.shop, &with.room, endpoint, why, with.endured).await? {
                tracing::warn!(%endpoint, reason = why.name(), "a webhook endpoint was switched off");
                done.off.push(endpoint);
            }
            self.off.pop_front();
        }
        if let Some(kept) = &self.kept {
            with.dispatch.extend(kept, now + with.lease).await?;
            let back = with.dispatch.take_back(now).await?;
            if back > 0 {
                tracing::info!(messages = back, "webhooks of a node that died are sent by others");
            }
            self.kept = None;
        }
        if let Some(look) = &self.look {
            look.look(with, now, &mut done.caught).await?;
            self.look = None;
        }
        Ok(())
    }
}

impl Look {
    /// Takes what is due, for each endpoint as much as there is room for.
    async fn look(&self, with: &Dispatcher, now: Timestamp, caught: &mut Vec<Catch>) -> Result<()> {
        let mut asks = Vec::new();
        let mut found = Vec::new();
        for lane in with.dispatch.lanes(now).await? {
            let known = self.known.get(&lane.endpoint);
            let room = known.map_or(self.room, |known| known.room);
            let room = if lane.careful { room.min(1) } else { room };
            let mut secrets = None;
            if room > 0 {
                if known.and_then(|known| known.signing) != Some(lane.signing) {
                    secrets = Some(open(with, lane.endpoint, now).await?);
                }
                let Lane { endpoint, per_minute, .. } = lane;
                asks.push(Ask { endpoint, most: room, per_minute, now, until: now + with.lease });
            }
            found.push((room, Catch { lane, secrets, more: true, taken: Vec::new() }));
        }
        let mut taken: HashMap<EndpointId, Vec<Taken>> = HashMap::new();
        for one in with.dispatch.take(&asks).await? {
            taken.entry(one.endpoint).or_default().push(one);
        }
        caught.extend(found.into_iter().map(|(room, mut catch)| {
            catch.taken = taken.remove(&catch.lane.endpoint).unwrap_or_default();
            catch.more = u32::try_from(catch.taken.len()).is_ok_and(|count| count >= room);
            catch
        }));
        Ok(())
    }
}

/// The secrets that sign for an endpoint at this moment.
async fn open(with: &Dispatcher, endpoint: EndpointId, now: Timestamp) -> Result<Vec<SecretText>> {
    let sealed = with.dispatch.signing(endpoint, now).await?;
    let context = seal_context(endpoint);
    // One that does not open signs nothing; the others do.
    let opened = sealed.iter().filter_map(|(_, sealed)| with.keyring.sealer.open(&context, sealed).ok());
    Ok(opened.filter_map(|plain| String::from_utf8(plain).ok()).map(SecretText::new).collect())
}
