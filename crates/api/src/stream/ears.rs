//! The listeners of one worker, and who brings them the news.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap, VecDeque, hash_map::Entry},
    rc::Rc,
    sync::Arc,
};

use domain::realtime::Topic;
use futures_util::future::LocalBoxFuture;
use metrics::Counter;

use super::{ear::Ear, hub::News};
use crate::rounds::{self, Carrier, Round};

/// The most notices that go into one write.
const TOGETHER: usize = 64;

thread_local! {
    /// Those of each hub that this thread serves; in a server there is one.
    static HERE: RefCell<HashMap<u64, Rc<Ears>>> = RefCell::default();
}

/// Who listens to what, of the connections of this worker.
pub(super) struct Ears {
    topics: RefCell<HashMap<Topic, Vec<Ear>>>,
    pub(super) round: Arc<Round<News>>,
    /// The number up to which everything was given to the listeners.
    last: Cell<u64>,
    /// Counts what is written.
    written: Counter,
}

impl Ears {
    /// Those of this worker that listen to a hub.
    pub(super) fn here(hub: u64, written: &Counter) -> Rc<Self> {
        HERE.with_borrow_mut(|here| match here.entry(hub) {
            Entry::Occupied(ears) if !ears.get().round.is_over() => Rc::clone(ears.get()),
            entry => {
                let ears = Rc::new(Self {
                    topics: RefCell::default(),
                    round: Round::new(),
                    last: Cell::new(0),
                    written: written.clone(),
                });
                rounds::go(Arc::clone(&ears.round), Rc::clone(&ears));
                entry.insert_entry(Rc::clone(&ears));
                ears
            }
        })
    }

    /// The number up to which everything was given to the listeners: what one finds in its queue after asking this reaches at least as
    /// far.
    pub(super) fn last(&self) -> u64 {
        self.last.get()
    }

    pub(super) fn add(&self, topics: &BTreeSet<Topic>, ear: &Ear) {
        let mut all = self.topics.borrow_mut();
        for topic in topics {
            all.entry(*topic).or_default().push(ear.clone());
        }
    }

    pub(super) fn remove(&self, topics: &BTreeSet<Topic>, ear: &Ear) {
        let mut all = self.topics.borrow_mut();
        for topic in topics {
            let Entry::Occupied(mut ears) = all.entry(*topic) else { continue };
            if let Some(number) = ears.get().iter().position(|one| one.is(ear)) {
                ears.get_mut().swap_remove(number);
            }
            if ears.get().is_empty() {
                ears.remove();
            }
        }
    }

    fn of(&self, topic: Topic) -> Vec<Ear> {
        self.topics.borrow().get(&topic).cloned().unwrap_or_default()
    }
}

impl Carrier<News> for Ears {
    fn carry(&self, loads: VecDeque<News>) -> LocalBoxFuture<'_, ()> {
        Box::pin(async move {
            let last = loads.iter().map(|news| news.last).max().unwrap_or_default();
            let all: Vec<_> = loads.iter().flat_map(|news| news.told.iter().cloned()).collect();
            // Those that follow each other and are for the same are told in one.
            let alike = all.chunk_by(|one, next| one.notice.topics == next.notice.topics);
            for news in alike.flat_map(|alike| alike.chunks(TOGETHER)) {
                for topic in news.first().iter().flat_map(|told| &told.notice.topics) {
                    let mut written = 0;
                    rounds::each(self.of(*topic), |ear| written += ear.tell(news)).await;
                    self.written.increment(written);
                }
            }
            self.last.set(last.max(self.last.get()));
        })
    }

    fn lost(&self) {
        for ear in self.topics.borrow().values().flatten() {
            ear.lose();
        }
    }
}
