//! Who listens on this node, and how news reaches them.

use std::{
    collections::BTreeSet,
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use actix_web::web::Bytes;
use domain::{
    event::Event,
    money::Currency,
    realtime::{Heard, Notice, Topic},
};
use metrics::Counter;
use tokio::sync::watch;

use super::{
    ear::{self, Ear, Open},
    ears::Ears,
    listener,
};
use crate::{place::Places, rounds::Rounds, socket::Frame};

/// Tells hubs apart where one thread serves several.
static HUBS: AtomicU64 = AtomicU64::new(0);

/// A notice on its way, with what was written of it so far: all listeners who hear the same get the same bytes.
#[derive(Debug)]
pub struct Told {
    /// The notice.
    pub notice: Notice,
    written: [OnceLock<Bytes>; 3],
    chunks: [OnceLock<Bytes>; 3],
    spoken: [OnceLock<Frame>; 3],
}

impl Told {
    /// A notice that nobody was told yet.
    pub fn new(notice: Notice) -> Self {
        Self { notice, written: Default::default(), chunks: Default::default(), spoken: Default::default() }
    }

    /// What is written for those who hear this of it.
    pub(crate) fn written(&self, heard: Heard, currency: Currency) -> &Bytes {
        of(&self.written, heard).get_or_init(|| listener::written(&self.notice, heard, currency))
    }

    /// The same as a piece of an answer, past the server that would make it one.
    pub(crate) fn chunk(&self, heard: Heard, currency: Currency) -> &Bytes {
        of(&self.chunks, heard).get_or_init(|| ear::chunk(self.written(heard, currency)))
    }

    /// The same as WebSockets carry it.
    pub fn spoken(&self, heard: Heard, write: impl FnOnce() -> Frame) -> Frame {
        of(&self.spoken, heard).get_or_init(write).clone()
    }
}

fn of<T>([created, updated, deleted]: &[T; 3], heard: Heard) -> &T {
    match heard {
        Heard::Created => created,
        Heard::Updated => updated,
        Heard::Deleted => deleted,
    }
}

/// Who listens on this node.
#[derive(Debug)]
pub struct Hub {
    id: u64,
    /// The rounds of the workers with listeners.
    rounds: Mutex<Rounds<News>>,
    /// The number up to which everything was brought to the workers.
    last: AtomicU64,
    closing: watch::Sender<bool>,
    /// Counts what is told by server-sent events, looked up once for all.
    pub(super) written: Counter,
    /// How many streams there are.
    pub(crate) places: Arc<Places>,
}

/// What is brought to a worker.
#[derive(Debug, Clone)]
pub(crate) struct News {
    /// Notices, in the order of the log.
    pub(super) told: Arc<[Arc<Told>]>,
    /// The number of the last event looked at, which may belong to no topic.
    pub(super) last: u64,
}

impl Hub {
    /// A hub that goes on after this number of the log.
    pub fn new(last: u64) -> Arc<Self> {
        Arc::new(Self {
            id: HUBS.fetch_add(1, Ordering::Relaxed),
            rounds: Mutex::default(),
            last: AtomicU64::new(last),
            closing: watch::Sender::new(false),
            written: metrics::counter!("stream_events_sent_total", "protocol" => "sse"),
            places: Places::new("sse"),
        })
    }

    /// The number up to which everything was brought to the workers.
    pub fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    /// Gives notices to those who listen to one of their topics, each notice once, in the order of the log. `last` is
    /// the number of the last event looked at, which may belong to no topic.
    pub fn deliver(&self, told: &[Arc<Told>], last: u64) {
        let rounds = self.rounds();
        rounds.bring(&News { told: told.into(), last });
        // Within the lock: who begins to listen is brought the news or sees the number.
        self.last.fetch_max(last, Ordering::Release);
    }

    /// Begins to listen. MUST be called by a worker, within its runtime.
    pub(crate) fn listen(self: &Arc<Self>, topics: &BTreeSet<Topic>) -> Listening {
        let (ears, ear) = (Ears::here(self.id, &self.written), Ear::new());
        ears.add(topics, &ear);
        let mut rounds = self.rounds();
        rounds.comes(&ears.round);
        let from = self.last();
        drop(rounds);
        Listening { hub: Arc::clone(self), topics: topics.clone(), ears, ear, from }
    }

    /// Heeds an event before anything that came after it is delivered: whom it changes looks again at what they may hear.
    pub fn heed(&self, event: &Event) {
        self.places.heed(event);
    }

    /// Tells every stream to end, now and in future.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Turns true when the streams are to end.
    pub fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    fn rounds(&self) -> MutexGuard<'_, Rounds<News>> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One listener's end; dropping it ends the listening.
pub(crate) struct Listening {
    hub: Arc<Hub>,
    topics: BTreeSet<Topic>,
    ears: Rc<Ears>,
    ear: Ear,
    /// Every notice after this number is brought to the listener; up to it the log must be read.
    pub(crate) from: u64,
}

impl Listening {
    /// The next notice; `None` when the queue had no room for one, so that the log must be read.
    pub(crate) async fn next(&self) -> Option<Arc<Told>> {
        self.ear.next().await
    }

    /// The next notice if there is one.
    pub(crate) fn ready(&self) -> Option<Arc<Told>> {
        self.ear.ready()
    }

    /// Whether a notice found no room, so that the log must be read.
    pub(crate) fn is_behind(&self) -> bool {
        self.ear.is_behind()
    }

    /// The number up to which everything was given: what is ready after asking this reaches at least as far.
    pub(crate) fn last(&self) -> u64 {
        self.ears.last()
    }

    /// From here on news may be written to the connection at once, until [`Listening::shut`].
    pub(crate) fn open(&self, open: Open) {
        self.ear.open(open);
    }

    /// News waits in the queue again. Gives how far the listener was told, if it was open.
    pub(crate) fn shut(&self) -> Option<u64> {
        self.ear.shut()
    }
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listening").field("topics", &self.topics).field("from", &self.from).finish_non_exhaustive()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.ears.remove(&self.topics, &self.ear);
        // A round that is under way may still come to it.
        self.ear.shut();
        self.ear.lose();
        self.hub.rounds().goes(&self.ears.round);
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        catalog::ProductStatus,
        clock::Timestamp,
        event::{Entity, Event},
        id::{CategoryId, EventId},
        relay::Numbered,
    };
    use serde_json::json;
    use uuid::Uuid;

    use super::{super::ear::QUEUE, *};

    const LAMPS: CategoryId = CategoryId(Uuid::from_u128(8));
    const CHAIRS: CategoryId = CategoryId(Uuid::from_u128(9));

    fn told(seq: u64, category: CategoryId) -> Arc<Told> {
        let id = Uuid::from_u128(7);
        let payload = json!({
            "productId": id, "sellerId": id, "categoryId": category, "status": ProductStatus::Published,
            "name": "Lamp", "slug": "lamp", "priceMinor": 1995, "stock": 3, "version": 2,
        });
        let entity = Entity::new("product", id);
        let kind = "product.updated".to_owned();
        let event = Event { id: EventId(id), kind, entity, actor: None, at: Timestamp::UNIX_EPOCH, payload };
        Arc::new(Told::new(Notice::of(&Numbered { seq, event }).unwrap()))
    }

    fn seqs(listening: &Listening) -> Vec<u64> {
        std::iter::from_fn(|| listening.ready()).map(|told| told.notice.seq).collect()
    }

    /// Lets the worker go its round.
    async fn rounds() {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
    }

    #[actix_web::test]
    async fn a_listener_of_two_topics_of_one_notice_hears_it_once_and_others_hear_nothing() {
        let hub = Hub::new(4);
        let both = hub.listen(&BTreeSet::from([Topic::Products, Topic::Category(LAMPS)]));
        let chairs = hub.listen(&BTreeSet::from([Topic::Category(CHAIRS)]));
        assert_eq!((both.from, hub.last()), (4, 4));
        hub.deliver(&[told(5, LAMPS), told(7, CHAIRS)], 9);
        assert!(both.last() < 5, "nobody has it yet");
        rounds().await;
        assert_eq!((seqs(&both), seqs(&chairs)), (vec![5, 7], vec![7]));
        assert_eq!((hub.listen(&BTreeSet::new()).from, both.last()), (9, 9));
    }

    #[actix_web::test]
    async fn who_does_not_take_what_waits_is_let_go_and_the_others_go_on() {
        let hub = Hub::new(0);
        let topics = BTreeSet::from([Topic::Products]);
        let (slow, quick) = (hub.listen(&topics), hub.listen(&topics));
        let last = u64::try_from(QUEUE).unwrap() + 1;
        for seq in 1..=last {
            hub.deliver(&[told(seq, LAMPS)], seq);
            rounds().await;
            assert_eq!(seqs(&quick), [seq]);
        }
        assert!(slow.is_behind());
        let mut taken = 0;
        while slow.next().await.is_some() {
            taken += 1;
        }
        assert_eq!(taken, QUEUE);
        hub.deliver(&[told(last + 1, LAMPS)], last + 1);
        rounds().await;
        assert_eq!(seqs(&quick), [last + 1]);
        assert!(slow.next().await.is_none());
    }

    #[actix_web::test]
    async fn who_leaves_is_forgotten() {
        let hub = Hub::new(0);
        let topics = BTreeSet::from([Topic::Products, Topic::Category(LAMPS)]);
        let stays = hub.listen(&topics);
        drop(hub.listen(&topics));
        assert_eq!(hub.rounds().counts(), [1]);
        drop(stays);
        assert!(hub.rounds().counts().is_empty());
    }

    #[test]
    fn a_piece_says_how_long_it_is() {
        assert_eq!(ear::chunk(&[b'x'; 26]).as_ref(), [b"1A\r\n".as_slice(), &[b'x'; 26], b"\r\n"].concat());
    }
}
