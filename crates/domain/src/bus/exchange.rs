//! One node's end of a bus that others share: what adapters have in common, whatever the link between them is.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Poll, Waker},
};

use super::{Envelope, Fanout, PAYLOAD_MAX, Subscription, TOPIC_MAX};
use crate::clock::Entropy;

/// Messages that may wait for the link. One more, and they are dropped; the other nodes are told of the loss.
const WAITING_MAX: usize = 4096;

/// Delivers on this node at once, keeps what the others are to hear until the link takes it, and drops its own words when
/// the link brings them back.
pub struct Exchange {
    node: u64,
    next: AtomicU64,
    fanout: Fanout,
    outgoing: Mutex<Outgoing>,
}

#[derive(Default)]
struct Outgoing {
    waiting: VecDeque<Vec<u8>>,
    /// The others are to be told of a loss before anything else.
    lost: bool,
    waker: Option<Waker>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("node", &self.node).finish_non_exhaustive()
    }
}

/// What became of a message that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes its way.
    Taken,
    /// It is too large, or too many wait: its topic is told of a loss.
    Dropped,
}

impl Exchange {
    /// A node with a name that no other has.
    pub fn new(entropy: &dyn Entropy, fanout: Fanout) -> Self {
        let mut node = [0; 8];
        entropy.fill(&mut node);
        Self { node: u64::from_be_bytes(node), next: AtomicU64::new(0), fanout, outgoing: Mutex::default() }
    }

    /// Delivers here and leaves the rest to the link.
    pub fn publish(&self, topic: &str, payload: &[u8]) -> Fate {
        if topic.len() > TOPIC_MAX {
            // It stands for a topic that nobody can be told of.
            self.fanout.lose_all();
            self.forget_all();
            return Fate::Dropped;
        }
        let carried = (payload.len() <= PAYLOAD_MAX).then_some(payload);
        match carried {
            Some(payload) => self.fanout.deliver(topic, payload),
            None => self.fanout.lose(topic),
        }
        let envelope = self.envelope(topic, carried);
        let mut outgoing = self.outgoing();
        if outgoing.waiting.len() >= WAITING_MAX {
            drop(outgoing);
            self.forget_all();
            return Fate::Dropped;
        }
        outgoing.waiting.push_back(envelope);
        wake(outgoing);
        if carried.is_some() { Fate::Taken } else { Fate::Dropped }
    }

    /// Listens to topics on this node.
    pub fn subscribe(&self, topics: &[&str]) -> Subscription {
        self.fanout.subscribe(topics)
    }

    /// Who listens on this node.
    pub fn fanout(&self) -> &Fanout {
        &self.fanout
    }

    /// Waits until the others are to hear something and gives it, in order, at most so many. Nothing is taken when this is
    /// dropped before it answers.
    pub async fn outgoing_batch(&self, most: usize) -> Vec<Vec<u8>> {
        std::future::poll_fn(|context| {
            let mut outgoing = self.outgoing();
            if outgoing.lost {
                outgoing.lost = false;
                let loss = self.envelope("", None);
                outgoing.waiting.push_front(loss);
            }
            if outgoing.waiting.is_empty() {
                outgoing.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            let count = outgoing.waiting.len().min(most);
            Poll::Ready(outgoing.waiting.drain(..count).collect())
        })
        .await
    }

    /// What the link was given may not have arrived: the others are told when it carries again.
    pub fn not_sent(&self) {
        self.outgoing().lost = true;
    }

    /// Takes what the link brought. What cannot be read may have been for anybody.
    pub fn arrived(&self, bytes: &[u8]) {
        match Envelope::decode(bytes) {
            Some(envelope) if envelope.sender == self.node => {}
            Some(Envelope { topic: "", payload: None, .. }) | None => self.fanout.lose_all(),
            Some(Envelope { topic, payload: None, .. }) => self.fanout.lose(topic),
            Some(Envelope { topic, payload: Some(payload), .. }) => self.fanout.deliver(topic, payload),
        }
    }

    fn envelope(&self, topic: &str, payload: Option<&[u8]>) -> Vec<u8> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        Envelope { sender: self.node, number, topic, payload }.encode()
    }

    fn forget_all(&self) {
        let mut outgoing = self.outgoing();
        outgoing.waiting.clear();
        outgoing.lost = true;
        wake(outgoing);
    }

    fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(mut outgoing: MutexGuard<'_, Outgoing>) {
    let waker = outgoing.waker.take();
    drop(outgoing);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bus::{Heard, Message},
        testing::SeededEntropy,
    };

    fn node(seed: u64) -> Exchange {
        Exchange::new(&SeededEntropy::new(seed), Fanout::default())
    }

    fn message(payload: &[u8]) -> Heard {
        Heard::Message(Message { topic: "a".into(), payload: payload.into() })
    }

    #[tokio::test]
    async fn a_message_is_heard_once_on_every_node() {
        let (one, two) = (node(1), node(2));
        let (mut here, mut there) = (one.subscribe(&["a"]), two.subscribe(&["a"]));
        assert_eq!(one.publish("a", b"1"), Fate::Taken);
        assert_eq!(one.publish("a", b"2"), Fate::Taken);
        for sent in one.outgoing_batch(10).await {
            one.arrived(&sent);
            two.arrived(&sent);
        }
        for hears in [&mut here, &mut there] {
            assert_eq!((hears.next().await, hears.next().await), (message(b"1"), message(b"2")));
        }
        one.publish("a", b"3");
        assert_eq!(here.next().await, message(b"3"), "the node does not hear itself again through the link");
    }

    #[tokio::test]
    async fn losses_on_the_way_are_told_to_everybody_when_it_works_again() {
        let (one, two) = (node(1), node(2));
        let mut there = two.subscribe(&["a"]);
        one.publish("a", b"1");
        drop(one.outgoing_batch(10).await);
        one.not_sent();
        one.publish("a", b"2");
        for sent in one.outgoing_batch(10).await {
            two.arrived(&sent);
        }
        assert_eq!((there.next().await, there.next().await), (Heard::Lost, message(b"2")));
    }

    #[tokio::test]
    async fn too_much_at_once_is_told_as_lost() {
        let (one, two) = (node(1), node(2));
        let mut there = two.subscribe(&["a"]);
        let fates: Vec<Fate> = (0..=WAITING_MAX).map(|_| one.publish("a", b"1")).collect();
        assert_eq!(fates.iter().filter(|fate| **fate == Fate::Dropped).count(), 1);
        assert_eq!(fates.last(), Some(&Fate::Dropped));
        let sent = one.outgoing_batch(10).await;
        assert_eq!(sent.len(), 1, "what waited went with it");
        two.arrived(&sent[0]);
        assert_eq!(there.next().await, Heard::Lost);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_a_loss() {
        let one = node(1);
        let mut here = one.subscribe(&["a"]);
        one.arrived(b"nonsense");
        assert_eq!(here.next().await, Heard::Lost);
    }
}
