//! What a node has in its hands of webhooks.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    ops::Bound,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    Error, Result,
    clock::Timestamp,
    id::{EndpointId, WebhookMessageId},
    webhooks::{Cause, CircuitVerdict, Finished, OPEN, Off, Settled},
};
use tokio::task::{Id, JoinError, JoinSet};

use super::{
    Dispatcher,
    errand::{Catch, Done, Errand, Held, Known, Look, Note},
    lane::Track,
    send::{Aloft, Ended, send},
};

/// How attempts ended is stored together when so many did ..
const TOGETHER: usize = 200;
/// .. or the first of them did so long ago.
const GATHER: Duration = Duration::from_millis(10);

/// What is being sent, and what is known of those it is sent to. Calls go on while the store is spoken to.
pub(super) struct Desk {
    with: Arc<Dispatcher>,
    tracks: BTreeMap<EndpointId, Track>,
    /// The endpoint that had its turn last.
    turn: Option<EndpointId>,
    running: JoinSet<Ended>,
    /// What is under way, by its task: one that breaks off says nothing of itself.
    aloft: HashMap<Id, Aloft>,
    held: HashMap<WebhookMessageId, u64>,
    /// How attempts ended, to be stored.
    done: Vec<Finished>,
    /// When the first of them did.
    since: Option<Instant>,
    /// What is to be noted of endpoints: how long to leave them alone, and their circuits.
    notes: VecDeque<Note>,
    /// Endpoints to be switched off.
    off: VecDeque<(EndpointId, Off)>,
    /// What is to be given back.
    back: Vec<Held>,
    /// What the store is told and asked at this moment.
    errand: Option<Pin<Box<dyn Future<Output = Done> + Send>>>,
    /// When the next sign of life is due.
    beat: Timestamp,
}

impl Desk {
    pub(super) fn new(with: Dispatcher) -> Self {
        let beat = with.shop.now();
        Self {
            with: Arc::new(with),
            tracks: BTreeMap::new(),
            turn: None,
            running: JoinSet::new(),
            aloft: HashMap::new(),
            held: HashMap::new(),
            done: Vec::new(),
            since: None,
            notes: VecDeque::new(),
            off: VecDeque::new(),
            back: Vec::new(),
            errand: None,
            beat,
        }
    }

    /// When the next sign of life is due.
    pub(super) fn beat(&self) -> Timestamp {
        self.beat
    }

    /// Whether some endpoint soon has nothing to be sent while more is likely to be due.
    pub(super) fn is_hungry(&self) -> bool {
        self.running.len() < self.most() && self.tracks.values().any(Track::is_hungry)
    }

    /// Whether the store is spoken to at this moment.
    pub(super) fn is_asking(&self) -> bool {
        self.errand.is_some()
    }

    fn most(&self) -> usize {
        usize::try_from(self.with.at_once).unwrap_or(usize::MAX)
    }

    /// Turns to the store, unless it is spoken to already: with what is to be told by now, and for what is due if it is to look.
    /// Gives whether it looks.
    pub(super) fn turn_to_store(&mut self, look: bool) -> bool {
        if self.errand.is_some() {
            return false;
        }
        let now = self.with.shop.now();
        let mut errand = Errand::default();
        let ripe = self.since.is_some_and(|since| since.elapsed() >= GATHER) || self.done.len() >= TOGETHER;
        if ripe || look || self.running.is_empty() {
            self.since = None;
            errand.finished = std::mem::take(&mut self.done);
            errand.notes = std::mem::take(&mut self.notes);
            errand.off = std::mem::take(&mut self.off);
            errand.back = std::mem::take(&mut self.back);
        }
        if now >= self.beat {
            errand.kept = Some(self.held.iter().map(|(id, fence)| (*id, *fence)).collect());
            self.beat = now + self.with.lease / 3;
            self.tracks.retain(|_, track| !track.is_at_rest() || track.careful);
        }
        if look {
            let known = |track: &mut Track| {
                track.more = false;
                Known { room: track.room(), signing: track.signing() }
            };
            let known = self.tracks.iter_mut().map(|(endpoint, track)| (*endpoint, known(track))).collect();
            errand.look = Some(Look { known, room: Track::new(self.with.endpoint_at_once).room() });
        }
        if !errand.is_empty() {
            self.errand = Some(Box::pin(errand.run(Arc::clone(&self.with))));
        }
        look
    }

    /// Waits until something happens: attempts end, it is time to store how some did, or the store has answered; then says how many
    /// messages moved. For ever when nothing is under way. Storing waits while the store is spoken to, and when `storing` is false.
    pub(super) async fn happens(&mut self, storing: bool) -> Option<Result<usize>> {
        let gather =
            self.since.filter(|_| storing && self.errand.is_none()).map(|since| GATHER.saturating_sub(since.elapsed()));
        let answered = tokio::select! {
            done = async {
                match &mut self.errand {
                    Some(errand) => errand.await,
                    None => std::future::pending().await,
                }
            } => Some(done),
            next = self.running.join_next_with_id(), if !self.running.is_empty() => {
                if let Some(next) = next {
                    self.joined(next);
                }
                None
            }
            () = tokio::time::sleep(gather.unwrap_or_default()), if gather.is_some() => None,
        };
        while let Some(next) = self.running.try_join_next_with_id() {
            self.joined(next);
        }
        let answered = answered.map(|done| self.answered(done));
        self.begin();
        answered
    }

    /// Notes how a task ended: one that panicked was an attempt that failed, so that neither its place nor its message stays taken.
    fn joined(&mut self, joined: std::result::Result<(Id, Ended), JoinError>) {
        match joined {
            Ok((id, ended)) => {
                self.aloft.remove(&id);
                self.note(ended);
            }
            Err(fault) => {
                if let Some(aloft) = self.aloft.remove(&fault.id()) {
                    tracing::error!(error = %fault, "an attempt at a webhook broke off");
                    self.note(aloft.broken(self.with.shop.now()));
                }
            }
        }
    }

    /// Takes up what the store answered. What could not be told is told again.
    fn answered(&mut self, done: Done) -> Result<usize> {
        self.errand = None;
        let Done { left, stored, off, released, caught, error } = done;
        let mut moved = stored.len();
        for one in &stored {
            self.held.remove(&one.message);
            // The next one of its thing may be taken now.
            if let Some(track) = self.tracks.get_mut(&one.endpoint) {
                track.more |= one.ordered;
            }
        }
        for (id, _) in released {
            self.held.remove(&id);
        }
        for endpoint in off {
            self.give_back(endpoint);
        }
        for catch in caught {
            moved += catch.taken.len();
            self.catch(catch);
        }
        self.keep(left);
        error.map_or(Ok(moved), Err)
    }

    fn keep(&mut self, left: Errand) {
        let Errand { mut finished, mut notes, mut off, back, kept, .. } = left;
        if !finished.is_empty() {
            self.since.get_or_insert_with(Instant::now);
        }
        finished.append(&mut self.done);
        notes.append(&mut self.notes);
        off.append(&mut self.off);
        (self.done, self.notes, self.off) = (finished, notes, off);
        self.back.extend(back);
        if kept.is_some() {
            self.beat = self.with.shop.now();
        }
    }

    fn catch(&mut self, Catch { lane, secrets, more, taken }: Catch) {
        let most = self.with.endpoint_at_once;
        let track = self.tracks.entry(lane.endpoint).or_insert_with(|| Track::new(most));
        track.is(&lane, secrets);
        track.more |= more;
        self.held.extend(taken.iter().map(|one| (one.id, one.fence)));
        track.queue.extend(taken);
        let alone = |note: &Note| match note {
            Note::Rest(endpoint, _) | Note::Circuit(endpoint, Some(_)) => *endpoint == lane.endpoint,
            Note::Circuit(_, None) => false,
        };
        // It asked to be left alone after we looked.
        if self.notes.iter().any(alone) {
            self.give_back(lane.endpoint);
        }
    }

    /// Begins what there is room for, for one endpoint after another.
    fn begin(&mut self) {
        while self.running.len() < self.most() {
            let after = self.turn.map_or(Bound::Unbounded, Bound::Excluded);
            let (rest, first) = (self.tracks.range((after, Bound::Unbounded)), self.tracks.range(..));
            let next = rest.chain(first).find(|(_, track)| track.flying < track.most() && !track.queue.is_empty());
            let Some(endpoint) = next.map(|(endpoint, _)| *endpoint) else { return };
            self.turn = Some(endpoint);
            let Some(track) = self.tracks.get_mut(&endpoint) else { return };
            let Some(taken) = track.queue.pop_front() else { return };
            track.flying += 1;
            let aloft = Aloft::new(&taken, track.careful, self.with.shop.now());
            let task = self.running.spawn(send(Arc::clone(&self.with), taken, Arc::clone(&track.to), aloft));
            self.aloft.insert(task.id(), aloft);
        }
    }

    /// Notes how an attempt ended.
    fn note(&mut self, Ended { finished, outcome, careful }: Ended) {
        let (endpoint, now) = (finished.endpoint, self.with.shop.now());
        let failed = outcome.fault().is_some();
        if finished.settled == Settled::GivenUp(Cause::Gone) {
            self.off.push_back((endpoint, Off::Gone));
            self.give_back(endpoint);
        }
        if let Some(rest) = outcome.rest() {
            self.notes.push_back(Note::Rest(endpoint, now + rest));
            self.give_back(endpoint);
        }
        if let Some(track) = self.tracks.get_mut(&endpoint) {
            track.flying = track.flying.saturating_sub(1);
            track.window.note(failed, outcome.is_overload());
            // What is tried with care goes on when one arrived.
            track.more |= careful && !failed;
            match track.circuit.note(failed, careful, now) {
                CircuitVerdict::Stay => {}
                CircuitVerdict::Open => {
                    track.careful = true;
                    metrics::counter!("webhook_circuits_opened_total").increment(1);
                    self.notes.push_back(Note::Circuit(endpoint, Some(now + OPEN)));
                    self.give_back(endpoint);
                }
                CircuitVerdict::Close => {
                    track.careful = false;
                    self.notes.push_back(Note::Circuit(endpoint, None));
                }
            }
        }
        self.since.get_or_insert_with(Instant::now);
        self.done.push(finished);
    }

    /// Gives back what was taken for an endpoint and is not begun.
    fn give_back(&mut self, endpoint: EndpointId) {
        if let Some(track) = self.tracks.get_mut(&endpoint) {
            self.back.extend(track.queue.drain(..).map(|one| (one.id, one.fence)));
            if !self.back.is_empty() {
                self.since.get_or_insert_with(Instant::now);
            }
        }
    }

    /// Lets what is being sent end, for as long as that may take; then gives the rest back.
    pub(super) async fn drain(mut self) -> Result<()> {
        let until = tokio::time::Instant::now() + self.with.drain;
        if let Some(errand) = self.errand.take() {
            let done = errand.await;
            if let Err(error) = self.answered(done) {
                tracing::warn!(error = crate::chain(&error), "webhooks wait for the database");
            }
        }
        let endpoints: Vec<_> = self.tracks.keys().copied().collect();
        for endpoint in endpoints {
            self.give_back(endpoint);
        }
        while let Ok(Some(next)) = tokio::time::timeout_at(until, self.running.join_next_with_id()).await {
            self.joined(next);
        }
        self.running.abort_all();
        for one in &self.done {
            self.held.remove(&one.message);
        }
        let back = self.held.into_iter().collect();
        let errand = Errand { finished: self.done, notes: self.notes, off: self.off, back, ..Errand::default() };
        let error: Option<Error> = errand.run(self.with).await.error;
        error.map_or(Ok(()), Err)
    }
}
