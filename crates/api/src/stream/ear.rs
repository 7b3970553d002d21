//! One listener, as its worker brings it the news: at once where it waits for nothing else, else into its queue.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::poll_fn,
    rc::Rc,
    sync::Arc,
    task::{Poll, Waker},
};

use actix_web::web::{Bytes, BytesMut};
use domain::{
    catalog::policy::Scope,
    clock::{Clock, Timestamp},
    money::Currency,
};
use tokio::sync::watch;

use super::hub::Told;
use crate::connection::{Outlet, Took};

/// How many notices may wait for one listener. One that falls further behind reads the log instead.
pub(super) const QUEUE: usize = 256;

/// One listener.
#[derive(Clone)]
pub(super) struct Ear(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<Told>>,
    /// The number of the last notice given, so that one that belongs to two topics comes once.
    given: u64,
    /// A notice found no room, and none is taken any more: the log has them.
    behind: bool,
    waker: Option<Waker>,
    open: Option<Open>,
}

/// A listener that waits: what there is to know of it to write news to it at once.
pub(crate) struct Open {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) currency: Currency,
    pub(super) outlet: Outlet,
    pub(super) scope: Scope,
    /// Until when that holds.
    pub(super) until: Option<Timestamp>,
    /// Changes when it may not hold any more.
    pub(super) changed: watch::Receiver<()>,
    /// Turns true when the stream is to end.
    pub(super) closing: watch::Receiver<bool>,
    /// The number up to which it was told everything it may hear.
    pub(super) position: u64,
}

impl Open {
    /// Whether nothing comes before the news.
    fn is_next(&self) -> bool {
        self.outlet.is_clear()
            && !self.changed.has_changed().unwrap_or(true)
            && !*self.closing.borrow()
            && self.until.is_none_or(|until| self.clock.now() < until)
    }

    /// What is written of notices to somebody who was told up to a position, and how many those are.
    fn written<'a>(&mut self, news: impl Iterator<Item = &'a Arc<Told>>) -> (Bytes, u64) {
        let mut chunks = Vec::new();
        for told in news {
            if told.notice.seq > self.position {
                self.position = told.notice.seq;
                chunks.extend(told.notice.heard(self.scope).map(|heard| told.chunk(heard, self.currency)));
            }
        }
        let written = match &*chunks {
            // What all are told is not copied for each.
            [one] => Bytes::clone(one),
            several => {
                let mut all = BytesMut::new();
                for chunk in several {
                    all.extend_from_slice(chunk);
                }
                all.freeze()
            }
        };
        (written, u64::try_from(chunks.len()).unwrap_or(u64::MAX))
    }
}

impl State {
    fn wait(&mut self, told: &Arc<Told>) {
        if self.queue.len() < QUEUE && !self.behind {
            self.queue.push_back(Arc::clone(told));
        } else if !self.behind {
            self.behind = true;
            metrics::counter!("stream_listeners_behind_total").increment(1);
        }
    }
}

impl Ear {
    pub(super) fn new() -> Self {
        Self(Rc::default())
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Tells notices: at once, in one write, where nothing stands before them, else they wait in the queue. Gives how many were written.
    pub(super) fn tell(&self, news: &[Arc<Told>]) -> u64 {
        let mut state = self.0.borrow_mut();
        let given = state.given;
        let new = || news.iter().filter(|told| told.notice.seq > given);
        let Some(last) = new().next_back().filter(|_| !state.behind) else { return 0 };
        state.given = last.notice.seq;
        let waits = !state.queue.is_empty();
        let Some(open) = state.open.as_mut().filter(|open| !waits && open.is_next()) else {
            new().for_each(|told| state.wait(told));
            wake(&mut state.waker);
            return 0;
        };
        let (written, count) = open.written(new());
        if count > 0 && open.outlet.write(&written) == Took::Some {
            wake(&mut state.waker);
        }
        count
    }

    /// Something may be missing: the log has it.
    pub(super) fn lose(&self) {
        let mut state = self.0.borrow_mut();
        state.behind = true;
        wake(&mut state.waker);
    }

    /// From here on news may be written at once, until [`Ear::shut`].
    pub(super) fn open(&self, open: Open) {
        self.0.borrow_mut().open = Some(open);
    }

    /// News waits in the queue again. Gives how far the listener was told.
    pub(super) fn shut(&self) -> Option<u64> {
        self.0.borrow_mut().open.take().map(|open| open.position)
    }

    /// The next notice; `None` when one found no room, so that the log must be read.
    pub(super) async fn next(&self) -> Option<Arc<Told>> {
        poll_fn(|cx| {
            let mut state = self.0.borrow_mut();
            match state.queue.pop_front() {
                Some(told) => return Poll::Ready(Some(told)),
                None if state.behind => return Poll::Ready(None),
                None => {}
            }
            match &mut state.waker {
                Some(known) => known.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
        .await
    }

    /// The next notice if there is one.
    pub(super) fn ready(&self) -> Option<Arc<Told>> {
        self.0.borrow_mut().queue.pop_front()
    }

    /// Whether a notice found no room, so that the log must be read.
    pub(super) fn is_behind(&self) -> bool {
        self.0.borrow().behind
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// As a piece of an answer whose length is not known before (RFC 9112, 7.1), as the server writes it.
pub(super) fn chunk(written: &[u8]) -> Bytes {
    let mut chunk = format!("{:X}\r\n", written.len()).into_bytes();
    chunk.extend_from_slice(written);
    chunk.extend_from_slice(b"\r\n");
    chunk.into()
}

#[cfg(test)]
mod tests {
    use domain::{
        catalog::ProductStatus,
        event::{Entity, Event},
        id::EventId,
        realtime::Notice,
        relay::Numbered,
        testing::FakeClock,
    };
    use futures_util::FutureExt as _;
    use serde_json::json;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };
    use uuid::Uuid;

    use super::*;
    use crate::connection::tests::connection;

    fn now() -> Timestamp {
        Timestamp::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn told(seq: u64) -> Arc<Told> {
        let id = Uuid::from_u128(7);
        let payload = json!({
            "productId": id, "sellerId": id, "categoryId": id, "status": ProductStatus::Published,
            "name": "Lamp", "slug": "lamp", "priceMinor": 1995, "stock": 3, "version": 2,
        });
        let (entity, kind) = (Entity::new("product", id), "product.updated".to_owned());
        let event = Event { id: EventId(id), kind, entity, actor: None, at: Timestamp::UNIX_EPOCH, payload };
        Arc::new(Told::new(Notice::of(&Numbered { seq, event }).unwrap()))
    }

    /// Whether a notice is written at once.
    fn tells(ear: &Ear, seq: u64) -> bool {
        ear.tell(&[told(seq)]) == 1
    }

    /// What waits for the listener.
    fn queued(ear: &Ear) -> Vec<u64> {
        std::iter::from_fn(|| ear.ready()).map(|told| told.notice.seq).collect()
    }

    /// The next piece that a client is sent: its text.
    async fn piece(client: &mut TcpStream) -> String {
        let mut size = Vec::new();
        while !size.ends_with(b"\r\n") {
            size.push(client.read_u8().await.unwrap());
        }
        let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap().trim_end(), 16).unwrap();
        let mut text = vec![0; size + 2];
        client.read_exact(&mut text).await.unwrap();
        assert!(text.ends_with(b"\n\n\r\n"));
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn a_listener_that_waits_is_written_to_at_once_and_no_other() {
        let (mut connection, outlet, mut client) = connection().await;
        connection.flush().await.unwrap();
        let (ear, changing, closing) = (Ear::new(), watch::Sender::new(()), watch::Sender::new(false));
        let open = |position, until| Open {
            clock: Arc::new(FakeClock::at(now())),
            currency: Currency::EUR,
            outlet: outlet.clone(),
            scope: Scope::Published,
            until,
            changed: changing.subscribe(),
            closing: closing.subscribe(),
            position,
        };
        assert!(!tells(&ear, 1) && ear.shut().is_none());
        ear.open(open(1, None));
        assert!(!tells(&ear, 2), "what waits goes first");
        assert_eq!(queued(&ear), [1, 2]);
        ear.open(open(2, None));
        assert!(!tells(&ear, 2), "it was told");
        assert!(tells(&ear, 3) && !tells(&ear, 3) && tells(&ear, 4));
        assert!(piece(&mut client).await.starts_with("id: 3\n") && piece(&mut client).await.starts_with("id: 4\n"));
        assert_eq!((ear.shut(), queued(&ear)), (Some(4), Vec::new()));
        assert_eq!(ear.tell(&[told(4), told(5), told(6)]), 0, "it does something else");
        assert_eq!(queued(&ear), [5, 6]);
        ear.open(open(6, None));
        assert_eq!(ear.tell(&[told(6), told(7), told(8)]), 2);
        assert!(piece(&mut client).await.starts_with("id: 7\n") && piece(&mut client).await.starts_with("id: 8\n"));
        ear.open(open(8, Some(now())));
        assert!(!tells(&ear, 9), "the session is over");
        assert_eq!(queued(&ear), [9]);
        ear.open(open(9, None));
        changing.send_replace(());
        assert_eq!(ear.tell(&[told(10)]), 0, "it is to look who listens");
        assert_eq!(queued(&ear), [10]);
        ear.open(open(10, None));
        closing.send_replace(true);
        assert_eq!(ear.tell(&[told(11)]), 0, "the stream ends");
        assert_eq!(queued(&ear), [11]);
        assert!(client.read_u8().now_or_never().is_none(), "nothing else was written");
    }

    #[tokio::test]
    async fn who_may_miss_something_is_told_so_and_given_nothing_more() {
        let ear = Ear::new();
        tells(&ear, 1);
        ear.lose();
        tells(&ear, 2);
        assert!(ear.is_behind());
        assert_eq!(ear.next().await.map(|told| told.notice.seq), Some(1));
        assert!(ear.next().await.is_none());
    }
}
