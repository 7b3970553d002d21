//! Who listens on this node, and how news reaches them.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    future::poll_fn,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use actix_web::web::Bytes;
use domain::{
    event::Event,
    realtime::{Heard, Notice, Topic},
};
use metrics::Counter;
use tokio::sync::{mpsc, watch};

use crate::{place::Places, socket::Frame, wakes::Together};

/// How many notices may wait for one listener. One that falls further behind reads the log instead.
const QUEUE: usize = 256;

/// A notice on its way, with what was written of it so far: all listeners who hear the same get the same bytes.
#[derive(Debug)]
pub struct Told {
    /// The notice.
    pub notice: Notice,
    written: [OnceLock<Bytes>; 3],
    spoken: [OnceLock<Frame>; 3],
}

impl Told {
    /// A notice that nobody was told yet.
    pub fn new(notice: Notice) -> Self {
        Self { notice, written: Default::default(), spoken: Default::default() }
    }

    /// What is written for those who hear this of it.
    pub fn written(&self, heard: Heard, write: impl FnOnce() -> Bytes) -> Bytes {
        of(&self.written, heard).get_or_init(write).clone()
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
    members: Mutex<Members>,
    /// The number up to which everything was given to the listeners.
    last: AtomicU64,
    closing: watch::Sender<bool>,
    /// Counts what is told by server-sent events, looked up once for all.
    pub(super) written: Counter,
    /// How many streams there are.
    pub(crate) places: Arc<Places>,
}

#[derive(Debug, Default)]
struct Members {
    next: u64,
    mailboxes: HashMap<u64, Mailbox>,
    topics: HashMap<Topic, HashSet<u64>>,
}

#[derive(Debug)]
struct Mailbox {
    sender: mpsc::Sender<Arc<Told>>,
    /// The number of the last notice put in, so that one that belongs to two of its topics comes once.
    given: u64,
}

impl Members {
    /// Puts a notice into a mailbox. One without room is taken away: its owner notices, and reads the log.
    fn give(&mut self, id: u64, told: &Arc<Told>) {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else { return };
        if mailbox.given == told.notice.seq {
            return;
        }
        mailbox.given = told.notice.seq;
        if mailbox.sender.try_send(Arc::clone(told)).is_err() {
            self.mailboxes.remove(&id);
            metrics::counter!("stream_listeners_behind_total").increment(1);
        }
    }
}

impl Hub {
    /// A hub that goes on after this number of the log.
    pub fn new(last: u64) -> Arc<Self> {
        Arc::new(Self {
            members: Mutex::default(),
            last: AtomicU64::new(last),
            closing: watch::Sender::new(false),
            written: metrics::counter!("stream_events_sent_total", "protocol" => "sse"),
            places: Places::new("sse"),
        })
    }

    /// The number up to which everything was given to the listeners. What a listener finds in its queue after asking
    /// this reaches at least as far.
    pub fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    /// Gives notices to those who listen to one of their topics, each notice once, in the order of the log. `last` is
    /// the number of the last event looked at, which may belong to no topic.
    pub fn deliver(&self, news: &[Arc<Told>], last: u64) {
        let mut members = self.members();
        for told in news {
            for topic in &told.notice.topics {
                // Taken out for the while, so that mailboxes can be changed beside it.
                let Some(ids) = members.topics.remove(topic) else { continue };
                for id in &ids {
                    members.give(*id, told);
                }
                members.topics.insert(*topic, ids);
            }
        }
        // Within the lock: who begins to listen sees either the news or the number.
        self.last.fetch_max(last, Ordering::Release);
    }

    /// Begins to listen.
    pub fn listen(self: &Arc<Self>, topics: &BTreeSet<Topic>) -> Listening {
        let (sender, queue) = mpsc::channel(QUEUE);
        let mut members = self.members();
        members.next += 1;
        let id = members.next;
        members.mailboxes.insert(id, Mailbox { sender, given: 0 });
        for topic in topics {
            members.topics.entry(*topic).or_default().insert(id);
        }
        let from = self.last();
        drop(members);
        Listening { hub: Arc::clone(self), id, topics: topics.clone(), queue, together: Together::default(), from }
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

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, id: u64, topics: &BTreeSet<Topic>) {
        let mut members = self.members();
        members.mailboxes.remove(&id);
        for topic in topics {
            if let Some(ids) = members.topics.get_mut(topic) {
                ids.remove(&id);
                if ids.is_empty() {
                    members.topics.remove(topic);
                }
            }
        }
    }
}

/// One listener's end; dropping it ends the listening.
#[derive(Debug)]
pub struct Listening {
    hub: Arc<Hub>,
    id: u64,
    topics: BTreeSet<Topic>,
    queue: mpsc::Receiver<Arc<Told>>,
    together: Together,
    /// Every notice after this number comes through the queue; up to it the log must be read.
    pub from: u64,
}

impl Listening {
    /// The next notice; `None` when the queue had no room for one, so that the log must be read.
    pub async fn next(&mut self) -> Option<Arc<Told>> {
        poll_fn(|cx| self.together.poll(cx, |cx| self.queue.poll_recv(cx))).await
    }

    /// The next notice if there is one.
    pub fn ready(&mut self) -> Option<Arc<Told>> {
        self.queue.try_recv().ok()
    }

    /// Whether a notice found no room, so that the log must be read.
    pub fn is_behind(&self) -> bool {
        self.queue.is_closed()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.hub.leave(self.id, &self.topics);
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

    use super::*;

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

    fn seqs(listening: &mut Listening) -> Vec<u64> {
        std::iter::from_fn(|| listening.ready()).map(|told| told.notice.seq).collect()
    }

    #[test]
    fn a_listener_of_two_topics_of_one_notice_hears_it_once_and_others_hear_nothing() {
        let hub = Hub::new(4);
        let mut both = hub.listen(&BTreeSet::from([Topic::Products, Topic::Category(LAMPS)]));
        let mut chairs = hub.listen(&BTreeSet::from([Topic::Category(CHAIRS)]));
        assert_eq!((both.from, hub.last()), (4, 4));
        hub.deliver(&[told(5, LAMPS), told(7, CHAIRS)], 9);
        assert_eq!((seqs(&mut both), seqs(&mut chairs)), (vec![5, 7], vec![7]));
        assert_eq!(hub.listen(&BTreeSet::new()).from, 9);
    }

    #[tokio::test]
    async fn who_does_not_take_what_waits_is_let_go_and_the_others_go_on() {
        let hub = Hub::new(0);
        let topics = BTreeSet::from([Topic::Products]);
        let (mut slow, mut quick) = (hub.listen(&topics), hub.listen(&topics));
        let last = u64::try_from(QUEUE).unwrap() + 1;
        for seq in 1..=last {
            hub.deliver(&[told(seq, LAMPS)], seq);
            assert_eq!(seqs(&mut quick), [seq]);
        }
        assert!(slow.is_behind());
        let mut taken = 0;
        while slow.next().await.is_some() {
            taken += 1;
        }
        assert_eq!(taken, QUEUE);
        hub.deliver(&[told(last + 1, LAMPS)], last + 1);
        assert_eq!(seqs(&mut quick), [last + 1]);
        assert!(slow.next().await.is_none());
    }

    #[test]
    fn who_leaves_is_forgotten() {
        let hub = Hub::new(0);
        drop(hub.listen(&BTreeSet::from([Topic::Products, Topic::Category(LAMPS)])));
        let members = hub.members();
        assert!(members.mailboxes.is_empty() && members.topics.is_empty());
    }
}
