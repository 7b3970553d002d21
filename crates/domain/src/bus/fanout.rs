//! Who listens to what within one process, and the queue of each.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{Heard, Message};

/// Messages that may wait for one subscriber. One more, and they are dropped and told as lost.
pub const QUEUE: usize = 256;

/// Told which topics anybody listens to, so that an adapter need not carry the others. Both are called in the order in
/// which it happens; they MUST be quick and MUST NOT call back.
pub trait Interest: Send + Sync {
    /// Somebody listens to this topic now, where nobody did.
    fn began(&self, topic: &Arc<str>);
    /// Nobody listens to this topic any more.
    fn ended(&self, topic: &Arc<str>);
}

/// Cares for nothing.
impl Interest for () {
    fn began(&self, _: &Arc<str>) {}
    fn ended(&self, _: &Arc<str>) {}
}

/// Passes messages on to the subscriptions of this process.
#[derive(Clone)]
pub struct Fanout(Arc<Shared>);

struct Shared {
    topics: Mutex<Topics>,
    interest: Box<dyn Interest>,
}

/// A list is shared with whoever delivers to it just now, and copied when it changes meanwhile: thousands of queues are
/// filled without holding up those who come and go.
type Topics = HashMap<Arc<str>, Arc<Vec<Arc<Mailbox>>>>;

impl fmt::Debug for Fanout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fanout").finish_non_exhaustive()
    }
}

impl Default for Fanout {
    fn default() -> Self {
        Self::telling(())
    }
}

impl Fanout {
    /// One that tells which topics are listened to.
    pub fn telling(interest: impl Interest + 'static) -> Self {
        Self(Arc::new(Shared { topics: Mutex::default(), interest: Box::new(interest) }))
    }

    /// Listens to topics.
    pub fn subscribe(&self, topics: &[&str]) -> Subscription {
        let mailbox = Arc::new(Mailbox::default());
        let mut listed = self.0.topics();
        let mut own: Vec<Arc<str>> = Vec::with_capacity(topics.len());
        for topic in topics {
            if own.iter().any(|known| **known == **topic) {
                continue;
            }
            let topic = listed.get_key_value(*topic).map_or_else(|| Arc::from(*topic), |(known, _)| Arc::clone(known));
            let listeners = listed.entry(Arc::clone(&topic)).or_insert_with(|| {
                self.0.interest.began(&topic);
                Arc::default()
            });
            Arc::make_mut(listeners).push(Arc::clone(&mailbox));
            own.push(topic);
        }
        drop(listed);
        Subscription { fanout: self.clone(), topics: own, mailbox }
    }

    /// Passes a message on to the subscriptions of its topic.
    pub fn deliver(&self, topic: &str, payload: &[u8]) {
        let found = self.0.topics().get_key_value(topic).map(|(topic, to)| (Arc::clone(topic), Arc::clone(to)));
        let Some((topic, listeners)) = found else { return };
        let message = Message { topic, payload: payload.into() };
        for mailbox in &*listeners {
            mailbox.put(&message);
        }
    }

    /// Tells the subscriptions of a topic that something may be missing.
    pub fn lose(&self, topic: &str) {
        let listeners = self.0.topics().get(topic).cloned();
        for mailbox in listeners.iter().flat_map(|listeners| listeners.iter()) {
            mailbox.lose();
        }
    }

    /// Tells every subscription that something may be missing.
    pub fn lose_all(&self) {
        let all: Vec<_> = self.0.topics().values().cloned().collect();
        for mailbox in all.iter().flat_map(|listeners| listeners.iter()) {
            mailbox.lose();
        }
    }

    /// What is listened to.
    pub fn topics(&self) -> Vec<Arc<str>> {
        self.0.topics().keys().cloned().collect()
    }
}

impl Shared {
    /// A panic elsewhere leaves the lists as good as they were.
    fn topics(&self) -> MutexGuard<'_, Topics> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one part of the shop hears. It ends when it is dropped.
pub struct Subscription {
    fanout: Fanout,
    topics: Vec<Arc<str>>,
    mailbox: Arc<Mailbox>,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("topics", &self.topics).finish_non_exhaustive()
    }
}

impl Subscription {
    /// Waits for what comes next. Nothing is taken when this is dropped before it answers.
    pub async fn next(&mut self) -> Heard {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    /// The same for whoever makes a stream of it. It never ends.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Heard> {
        let mut inbox = self.mailbox.inbox();
        if inbox.lost {
            inbox.lost = false;
            return Poll::Ready(Heard::Lost);
        }
        if let Some(message) = inbox.waiting.pop_front() {
            return Poll::Ready(Heard::Message(message));
        }
        match &mut inbox.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Forgets what waits, for those whom any number of hints tells the same.
    pub fn clear(&mut self) {
        let mut inbox = self.mailbox.inbox();
        inbox.lost = false;
        inbox.waiting.clear();
    }

    /// What it listens to.
    pub fn topics(&self) -> &[Arc<str>] {
        &self.topics
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut listed = self.fanout.0.topics();
        for topic in &self.topics {
            let Some(listeners) = listed.get_mut(topic) else { continue };
            Arc::make_mut(listeners).retain(|one| !Arc::ptr_eq(one, &self.mailbox));
            if listeners.is_empty() {
                listed.remove(topic);
                self.fanout.0.interest.ended(topic);
            }
        }
    }
}

#[derive(Default)]
struct Mailbox(Mutex<Inbox>);

#[derive(Default)]
struct Inbox {
    waiting: VecDeque<Message>,
    /// Something is missing before the first that waits.
    lost: bool,
    waker: Option<Waker>,
}

impl Mailbox {
    fn put(&self, message: &Message) {
        let mut inbox = self.inbox();
        if inbox.waiting.len() >= QUEUE {
            inbox.waiting.clear();
            inbox.lost = true;
        } else {
            inbox.waiting.push_back(message.clone());
        }
        wake(inbox);
    }

    /// What waits is dropped with it: whoever heals from the log reads it there.
    fn lose(&self) {
        let mut inbox = self.inbox();
        inbox.waiting.clear();
        inbox.lost = true;
        wake(inbox);
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Outside of the lock, for the one who is woken takes it next.
fn wake(mut inbox: MutexGuard<'_, Inbox>) {
    let waker = inbox.waker.take();
    drop(inbox);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Clone)]
    struct Told(Arc<Mutex<Vec<String>>>);

    impl Interest for Told {
        fn began(&self, topic: &Arc<str>) {
            self.0.lock().unwrap().push(format!("+{topic}"));
        }
        fn ended(&self, topic: &Arc<str>) {
            self.0.lock().unwrap().push(format!("-{topic}"));
        }
    }

    #[test]
    fn interest_is_told_of_the_first_and_the_last_listener() {
        let told = Told::default();
        let fanout = Fanout::telling(told.clone());
        let one = fanout.subscribe(&["a", "b", "a"]);
        let two = fanout.subscribe(&["a"]);
        drop(one);
        assert_eq!(*told.0.lock().unwrap(), ["+a", "+b", "-b"]);
        drop(two);
        assert_eq!(told.0.lock().unwrap().last().unwrap(), "-a");
        assert!(fanout.topics().is_empty(), "nothing is left of them");
    }

    #[tokio::test]
    async fn a_loss_stands_before_what_came_after_it() {
        let fanout = Fanout::default();
        let mut hears = fanout.subscribe(&["a"]);
        fanout.deliver("a", b"1");
        fanout.lose("b");
        fanout.lose("a");
        fanout.deliver("a", b"2");
        assert_eq!(hears.next().await, Heard::Lost);
        assert_eq!(hears.next().await, Heard::Message(Message { topic: "a".into(), payload: (*b"2").into() }));
    }
}
