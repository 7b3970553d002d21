//! What is told to many connections is brought to each worker once, and goes there from one connection to the next.

use std::{
    collections::VecDeque,
    future::poll_fn,
    mem,
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use futures_util::{future::LocalBoxFuture, task::AtomicWaker};

/// How much may wait for a worker. One that does not come to it for that long is stuck.
const MOST: usize = 65_536;
/// After so many connections a worker looks at what else there is to do.
const STRIDE: usize = 64;

/// What is brought to one worker, for its connections.
#[derive(Debug)]
pub(crate) struct Round<L> {
    waiting: Mutex<Waiting<L>>,
    task: AtomicWaker,
    /// The worker has ended.
    over: AtomicBool,
}

#[derive(Debug)]
struct Waiting<L> {
    loads: VecDeque<L>,
    /// Something found no room.
    lost: bool,
}

/// The rounds of the workers that have connections for something, and how many of them each has.
#[derive(Debug)]
pub(crate) struct Rounds<L>(Vec<(Arc<Round<L>>, usize)>);

impl<L> Default for Rounds<L> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<L: Clone + Send + 'static> Rounds<L> {
    /// A worker has one more.
    pub(crate) fn comes(&mut self, round: &Arc<Round<L>>) {
        match self.0.iter_mut().find(|(one, _)| Arc::ptr_eq(one, round)) {
            Some((_, count)) => *count += 1,
            None => self.0.push((Arc::clone(round), 1)),
        }
    }

    /// A worker has one less.
    pub(crate) fn goes(&mut self, round: &Arc<Round<L>>) {
        if let Some((_, count)) = self.0.iter_mut().find(|(one, _)| Arc::ptr_eq(one, round)) {
            *count -= 1;
        }
        self.0.retain(|(_, count)| *count > 0);
    }

    /// Brings something to each of them.
    pub(crate) fn bring(&self, load: &L) {
        for (round, _) in &self.0 {
            round.bring(load.clone());
        }
    }

    /// How many each has.
    #[cfg(test)]
    pub(crate) fn counts(&self) -> Vec<usize> {
        self.0.iter().map(|(_, count)| *count).collect()
    }
}

/// Who takes what is brought, and goes round with it.
pub(crate) trait Carrier<L>: 'static {
    /// Tells it to the connections it is for, in its order. What came together a connection SHOULD be told in one.
    fn carry(&self, loads: VecDeque<L>) -> LocalBoxFuture<'_, ()>;

    /// Something was lost: none of the connections can be sure that it has everything.
    fn lost(&self);
}

impl<L: Send + 'static> Round<L> {
    /// A round that nobody goes yet.
    pub(crate) fn new() -> Arc<Self> {
        let waiting = Mutex::new(Waiting { loads: VecDeque::new(), lost: false });
        Arc::new(Self { waiting, task: AtomicWaker::new(), over: AtomicBool::new(false) })
    }

    /// Brings something. What finds no room is lost, and everybody is told so.
    pub(crate) fn bring(&self, load: L) {
        let mut waiting = self.waiting();
        let first = waiting.loads.is_empty();
        if waiting.loads.len() < MOST {
            waiting.loads.push_back(load);
        } else {
            waiting.lost = true;
        }
        drop(waiting);
        if first {
            self.task.wake();
        }
    }

    /// Takes what was brought.
    pub(crate) fn taken(&self) -> (VecDeque<L>, bool) {
        let mut waiting = self.waiting();
        (mem::take(&mut waiting.loads), mem::take(&mut waiting.lost))
    }

    /// Whether nobody goes it any more.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<L>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Goes a round as long as this worker lives. MUST be called by the worker, within its runtime.
pub(crate) fn go<L: Send + 'static>(round: Arc<Round<L>>, carrier: Rc<impl Carrier<L>>) {
    let going = Going { round, carrier };
    actix_web::rt::spawn(async move {
        loop {
            let (loads, lost) = next(&going.round).await;
            going.carrier.carry(loads).await;
            if lost {
                going.carrier.lost();
            }
        }
    });
}

/// A round that somebody goes. However that ends, nobody waits in vain for what is not brought any more.
struct Going<L, C: Carrier<L>> {
    round: Arc<Round<L>>,
    carrier: Rc<C>,
}

impl<L, C: Carrier<L>> Drop for Going<L, C> {
    fn drop(&mut self) {
        self.round.over.store(true, Ordering::Release);
        self.carrier.lost();
    }
}

/// Waits until something was brought, and takes it.
async fn next<L: Send + 'static>(round: &Round<L>) -> (VecDeque<L>, bool) {
    poll_fn(|cx| {
        // Before anything is taken: what comes after that wakes again.
        round.task.register(cx.waker());
        let (loads, lost) = round.taken();
        if loads.is_empty() && !lost { Poll::Pending } else { Poll::Ready((loads, lost)) }
    })
    .await
}

/// Goes from one to the next, and lets others do something now and then.
pub(crate) async fn each<T>(of: Vec<T>, mut tell: impl FnMut(T)) {
    for (number, one) in of.into_iter().enumerate() {
        if number % STRIDE == STRIDE - 1 {
            tokio::task::yield_now().await;
        }
        tell(one);
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, thread};

    use super::*;

    /// Writes down what it carries.
    #[derive(Default)]
    struct Notes {
        carried: RefCell<Vec<usize>>,
        lost: RefCell<usize>,
    }

    impl Carrier<usize> for Notes {
        fn carry(&self, loads: VecDeque<usize>) -> LocalBoxFuture<'_, ()> {
            Box::pin(each(loads.into(), |load| self.carried.borrow_mut().push(load)))
        }

        fn lost(&self) {
            *self.lost.borrow_mut() += 1;
        }
    }

    async fn carried(notes: &Notes, count: usize) -> Vec<usize> {
        while notes.carried.borrow().len() < count {
            tokio::task::yield_now().await;
        }
        notes.carried.borrow().clone()
    }

    #[actix_web::test]
    async fn what_others_bring_is_carried_in_its_order_one_after_the_other() {
        let (round, notes) = (Round::new(), Rc::new(Notes::default()));
        go(Arc::clone(&round), Rc::clone(&notes));
        for from in [0, 50] {
            let round = Arc::clone(&round);
            thread::spawn(move || (from..from + 50).for_each(|load| round.bring(load))).join().unwrap();
        }
        assert_eq!(carried(&notes, 100).await, (0..100).collect::<Vec<_>>());
        assert!(!round.is_over() && *notes.lost.borrow() == 0);
    }

    #[actix_web::test]
    async fn what_finds_no_room_is_said_to_be_lost() {
        let (round, notes) = (Round::new(), Rc::new(Notes::default()));
        for load in 0..=MOST {
            round.bring(load);
        }
        let (loads, lost) = round.taken();
        assert!(loads.len() == MOST && lost);
        for load in 0..=MOST {
            round.bring(load);
        }
        go(Arc::clone(&round), Rc::clone(&notes));
        while *notes.lost.borrow() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(notes.carried.borrow().len(), MOST);
    }

    #[test]
    fn a_round_is_over_with_its_worker() {
        let (round, notes) = (Round::<usize>::new(), Rc::new(Notes::default()));
        actix_web::rt::System::new().block_on(async {
            go(Arc::clone(&round), Rc::clone(&notes));
            tokio::task::yield_now().await;
            assert!(!round.is_over() && *notes.lost.borrow() == 0);
        });
        assert!(round.is_over() && *notes.lost.borrow() == 1, "whoever is left is told");
    }
}
