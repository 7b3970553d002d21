//! What a node has in its hands of webhooks.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use domain::{
    Result,
    clock::Timestamp,
    id::{EndpointId, WebhookMessageId},
    webhooks::{
        Cause, CircuitVerdict, Finished, OPEN, Off, SecretText, Settled, disable_endpoint,
        ports::{Ask, Lane},
        seal_context,
    },
};
use tokio::task::JoinSet;

use super::{
    Dispatcher,
    lane::Track,
    send::{Ended, send},
};

/// How attempts ended is stored together when so many did ..
const TOGETHER: usize = 200;
/// .. or the first of them did so long ago.
const GATHER: Duration = Duration::from_millis(10);

/// What is being sent, and what is known of those it is sent to.
pub(super) struct Desk {
    with: Dispatcher,
    tracks: BTreeMap<EndpointId, Track>,
    running: JoinSet<Ended>,
    held: HashMap<WebhookMessageId, u64>,
    /// How attempts ended, to be stored.
    done: Vec<Finished>,
    /// When the first of them did.
    since: Option<Instant>,
    /// Endpoints that said that they are gone.
    gone: Vec<EndpointId>,
    /// What is to be noted of endpoints: how long to leave them alone, and their circuits.
    notes: Vec<Note>,
    /// When the next sign of life is due.
    beat: Timestamp,
}

/// What is to be noted of an endpoint.
#[derive(Clone, Copy)]
enum Note {
    Rest(EndpointId, Timestamp),
    Circuit(EndpointId, Option<Timestamp>),
}

impl Desk {
    pub(super) fn new(with: Dispatcher) -> Self {
        let beat = with.shop.now();
        Self {
            with,
            tracks: BTreeMap::new(),
            running: JoinSet::new(),
            held: HashMap::new(),
            done: Vec::new(),
            since: None,
            gone: Vec::new(),
            notes: Vec::new(),
            beat,
        }
    }

    /// How long until the next sign of life.
    pub(super) fn next_beat(&self) -> Duration {
        (self.beat - self.with.shop.now()).to_std().unwrap_or_default()
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty() && self.done.is_empty()
    }

    /// Whether some endpoint soon has nothing to be sent while more is likely to be due.
    pub(super) fn is_hungry(&self) -> bool {
        self.running.len() < usize::try_from(self.with.at_once).unwrap_or(usize::MAX)
            && self.tracks.values().any(Track::is_hungry)
    }

    /// Waits until an attempt ends, and those that end with it; for ever when none is under way.
    pub(super) async fn ended(&mut self) {
        let pause = self.since.map(|since| GATHER.saturating_sub(since.elapsed()));
        match pause {
            // Others end soon: one transaction stores them all.
            Some(pause) if self.done.len() < TOGETHER => {
                let next = tokio::time::timeout(pause, self.running.join_next()).await;
                if let Ok(Some(Ok(ended))) = next {
                    self.note(ended);
                }
            }
            Some(_) => {}
            None => match self.running.join_next().await {
                Some(Ok(ended)) => self.note(ended),
                Some(Err(_)) => {}
                None => std::future::pending().await,
            },
        }
        while let Some(ended) = self.running.try_join_next() {
            if let Ok(ended) = ended {
                self.note(ended);
            }
        }
        self.begin();
    }

    /// Stores how attempts ended, gives signs of life, and takes what is due if it is to look. Gives how many messages moved.
    pub(super) async fn step(&mut self, look: bool) -> Result<usize> {
        let mut moved = 0;
        let ripe = self.since.is_some_and(|since| since.elapsed() >= GATHER) || self.done.len() >= TOGETHER;
        if ripe || (self.running.is_empty() && !self.done.is_empty()) {
            moved += self.store().await?;
        }
        let now = self.with.shop.now();
        if now >= self.beat {
            let held: Vec<_> = self.held.iter().map(|(id, fence)| (*id, *fence)).collect();
            self.with.dispatch.extend(&held, now + self.with.lease).await?;
            let back = self.with.dispatch.take_back(now).await?;
            if back > 0 {
                tracing::info!(messages = back, "webhooks of a node that died are sent by others");
            }
            self.beat = now + self.with.lease / 3;
            self.tracks.retain(|_, track| !track.is_at_rest() || track.careful);
        }
        if look {
            moved += self.take().await?;
        }
        self.begin();
        Ok(moved)
    }

    /// Takes what is due, for each endpoint as much as it has room for.
    async fn take(&mut self) -> Result<usize> {
        let now = self.with.shop.now();
        let mut moved = 0;
        for track in self.tracks.values_mut() {
            track.more = false;
        }
        for lane in self.with.dispatch.lanes(now).await? {
            let most = self.with.endpoint_at_once;
            let track = self.tracks.entry(lane.endpoint).or_insert_with(|| Track::new(most));
            track.careful = lane.careful;
            let room = track.room();
            if room == 0 {
                track.more = true;
                continue;
            }
            let ask = Ask {
                endpoint: lane.endpoint,
                most: room,
                per_minute: lane.per_minute,
                now,
                until: now + self.with.lease,
            };
            let secrets = self.secrets(&lane, now).await?;
            let taken = self.with.dispatch.take(&ask).await?;
            moved += taken.len();
            let Some(track) = self.tracks.get_mut(&lane.endpoint) else { continue };
            track.is(&lane, secrets);
            track.more = u32::try_from(taken.len()).is_ok_and(|count| count >= room);
            self.held.extend(taken.iter().map(|one| (one.id, one.fence)));
            track.queue.extend(taken);
        }
        Ok(moved)
    }

    async fn secrets(&self, lane: &Lane, now: Timestamp) -> Result<Vec<SecretText>> {
        let sealed = self.with.dispatch.signing(lane.endpoint, now).await?;
        let context = seal_context(lane.endpoint);
        // One that does not open signs nothing; the others do.
        let opened = sealed.iter().filter_map(|(_, sealed)| self.with.keyring.sealer.open(&context, sealed).ok());
        Ok(opened.filter_map(|plain| String::from_utf8(plain).ok()).map(SecretText::new).collect())
    }

    /// Begins what there is room for.
    fn begin(&mut self) {
        let most = usize::try_from(self.with.at_once).unwrap_or(usize::MAX);
        for track in self.tracks.values_mut() {
            while track.flying < track.most() && self.running.len() < most {
                let Some(taken) = track.queue.pop_front() else { break };
                track.flying += 1;
                self.running.spawn(send(self.with.clone(), taken, track.to.clone(), track.careful));
            }
        }
    }

    /// Notes how an attempt ended.
    fn note(&mut self, Ended { finished, outcome, careful }: Ended) {
        let (endpoint, now) = (finished.endpoint, self.with.shop.now());
        let failed = outcome.fault().is_some();
        if finished.settled == Settled::GivenUp(Cause::Gone) {
            self.gone.push(endpoint);
        }
        if let Some(rest) = outcome.rest() {
            self.notes.push(Note::Rest(endpoint, now + rest));
        }
        if let Some(track) = self.tracks.get_mut(&endpoint) {
            track.flying = track.flying.saturating_sub(1);
            track.window.note(failed, outcome.is_overload());
            match track.circuit.note(failed, careful, now) {
                CircuitVerdict::Stay => {}
                CircuitVerdict::Open => {
                    track.careful = true;
                    self.notes.push(Note::Circuit(endpoint, Some(now + OPEN)));
                }
                CircuitVerdict::Close => {
                    track.careful = false;
                    self.notes.push(Note::Circuit(endpoint, None));
                }
            }
            // What is tried with care goes on when one arrived.
            track.more |= careful && !failed;
        }
        self.since.get_or_insert_with(Instant::now);
        self.done.push(finished);
    }

    /// Stores how attempts ended, and what follows for their endpoints. What cannot be stored is kept.
    async fn store(&mut self) -> Result<usize> {
        let now = self.with.shop.now();
        let failing = self.with.dispatch.settle(&self.done, now).await?;
        let stored = std::mem::take(&mut self.done);
        self.since = None;
        for one in &stored {
            self.held.remove(&one.message);
            // The next one of its thing may be taken now.
            if let Some(track) = self.tracks.get_mut(&one.endpoint) {
                track.more |= one.ordered;
            }
        }
        while let Some(note) = self.notes.last().copied() {
            match note {
                Note::Rest(endpoint, until) => {
                    self.with.dispatch.rest(endpoint, until).await?;
                    self.give_back(endpoint).await?;
                }
                Note::Circuit(endpoint, until) => {
                    self.with.dispatch.circuit(endpoint, until).await?;
                    if until.is_some() {
                        metrics::counter!("webhook_circuits_opened_total").increment(1);
                        self.give_back(endpoint).await?;
                    }
                }
            }
            self.notes.pop();
        }
        let too_long = failing.into_iter().filter(|(_, since)| *since + self.with.endured <= now);
        let off: Vec<_> = too_long.map(|(endpoint, _)| (endpoint, Off::Failing)).collect();
        let gone = std::mem::take(&mut self.gone).into_iter().map(|endpoint| (endpoint, Off::Gone));
        for (endpoint, why) in gone.chain(off) {
            let Dispatcher { shop, room, endured, .. } = &self.with;
            if disable_endpoint(shop, room, endpoint, why, *endured).await? {
                tracing::warn!(%endpoint, reason = why.name(), "a webhook endpoint was switched off");
                self.give_back(endpoint).await?;
            }
        }
        Ok(stored.len())
    }

    /// Gives back what was taken for an endpoint and is not begun.
    async fn give_back(&mut self, endpoint: EndpointId) -> Result<()> {
        let Some(track) = self.tracks.get_mut(&endpoint) else { return Ok(()) };
        let held: Vec<_> = track.queue.drain(..).map(|one| (one.id, one.fence)).collect();
        for (id, _) in &held {
            self.held.remove(id);
        }
        self.with.dispatch.release(&held).await
    }

    /// Lets what is being sent end, for as long as that may take; then gives the rest back.
    pub(super) async fn drain(mut self) -> Result<()> {
        let endpoints: Vec<_> = self.tracks.keys().copied().collect();
        for endpoint in endpoints {
            self.give_back(endpoint).await?;
        }
        let until = tokio::time::Instant::now() + self.with.drain;
        while let Ok(Some(ended)) = tokio::time::timeout_at(until, self.running.join_next()).await {
            if let Ok(ended) = ended {
                self.note(ended);
            }
        }
        self.running.abort_all();
        if !self.done.is_empty() {
            self.store().await?;
        }
        let left: Vec<_> = self.held.iter().map(|(id, fence)| (*id, *fence)).collect();
        self.with.dispatch.release(&left).await
    }
}
