//! Wakes connections of one worker together.
//!
//! A task that is woken from another thread costs that thread a write to the descriptor which the worker waits on, and one message
//! wakes thousands of connections. Here what is to be woken is put on the pile of its worker, where one task takes it from: the
//! worker is called once for all that came together.

use std::{
    cell::RefCell,
    future::poll_fn,
    mem,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use futures_util::task::AtomicWaker;

thread_local! {
    static HERE: RefCell<Option<Arc<Pile>>> = const { RefCell::new(None) };
}

/// From here on the connections of this worker are woken together. MUST be called by the worker, within its runtime; elsewhere
/// connections are woken one by one.
pub fn gather() {
    let pile = Arc::new(Pile::default());
    HERE.with_borrow_mut(|here| *here = Some(Arc::clone(&pile)));
    actix_web::rt::spawn(async move {
        let mut taken = Vec::new();
        poll_fn::<(), _>(|cx| {
            // Before anything is taken: what comes after that calls again.
            pile.task.register(cx.waker());
            mem::swap(&mut taken, &mut *pile.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            taken.drain(..).for_each(Waker::wake);
            Poll::Pending
        })
        .await;
    });
}

/// What is to be woken on one worker.
#[derive(Default)]
struct Pile {
    waiting: Mutex<Vec<Waker>>,
    task: AtomicWaker,
}

impl Pile {
    fn put(&self, waker: Waker) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(waker);
        let first = waiting.len() == 1;
        drop(waiting);
        if first {
            self.task.wake();
        }
    }
}

/// Wakes a task of a worker through its pile.
struct ByPile {
    task: Waker,
    pile: Arc<Pile>,
}

impl Wake for ByPile {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let at_home = HERE.try_with(|here| here.borrow().as_ref().is_some_and(|here| Arc::ptr_eq(here, &self.pile)));
        if at_home.unwrap_or(false) {
            self.task.wake_by_ref();
        } else {
            self.pile.put(self.task.clone());
        }
    }
}

/// How one connection is woken: made once, as long as it is the same task that waits.
#[derive(Debug, Default)]
pub(crate) struct Together(Option<(Waker, Waker)>);

impl Together {
    /// Polls with a waker that wakes this task together with others of its worker.
    pub(crate) fn poll<T>(&mut self, cx: &Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        if self.0.as_ref().is_none_or(|(task, _)| !task.will_wake(cx.waker())) {
            let task = cx.waker().clone();
            let pile = HERE.with_borrow(Clone::clone);
            let ours = pile.map_or_else(|| task.clone(), |pile| Arc::new(ByPile { task: task.clone(), pile }).into());
            self.0 = Some((task, ours));
        }
        let waker = self.0.as_ref().map_or(cx.waker(), |(_, ours)| ours);
        poll(&mut Context::from_waker(waker))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use futures_util::{FutureExt as _, task::noop_waker};
    use tokio::sync::mpsc;

    use super::*;

    /// Counts how often it is woken.
    struct Counts(Arc<AtomicUsize>);

    impl Wake for Counts {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Listens until nobody can send any more.
    fn listens() -> (mpsc::Sender<u8>, actix_web::rt::task::JoinHandle<Vec<u8>>) {
        let (sender, mut queue) = mpsc::channel(8);
        let task = actix_web::rt::spawn(async move {
            let (mut together, mut heard) = (Together::default(), Vec::new());
            while let Some(one) = poll_fn(|cx| together.poll(cx, |cx| queue.poll_recv(cx))).await {
                heard.push(one);
            }
            heard
        });
        (sender, task)
    }

    #[actix_web::test]
    async fn what_other_threads_send_to_many_reaches_each() {
        gather();
        let (senders, tasks): (Vec<_>, Vec<_>) = (0..100).map(|_| listens()).unzip();
        let threads: Vec<_> = [1, 2]
            .map(|says| {
                let senders = senders.clone();
                thread::spawn(move || {
                    for sender in &senders {
                        sender.try_send(says).unwrap();
                    }
                })
            })
            .into();
        drop(senders);
        for task in tasks {
            let mut heard = task.await.unwrap();
            heard.sort_unstable();
            assert_eq!(heard, [1, 2]);
        }
        for thread in threads {
            thread.join().unwrap();
        }
    }

    #[actix_web::test]
    async fn a_worker_is_called_once_for_all_that_wait() {
        gather();
        let pile = HERE.with_borrow(Clone::clone).unwrap();
        let calls = Arc::new(AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..3 {
                    pile.task.register(&Arc::new(Counts(Arc::clone(&calls))).into());
                    pile.put(noop_waker());
                }
            });
        });
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[actix_web::test]
    async fn without_a_pile_each_is_woken_by_itself() {
        let (sender, task) = listens();
        thread::spawn(move || sender.try_send(7).unwrap()).join().unwrap();
        assert_eq!(task.await.unwrap(), [7]);
        let (_sender, task) = listens();
        assert!(task.now_or_never().is_none());
    }
}
