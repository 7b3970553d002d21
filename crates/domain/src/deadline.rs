//! Until when somebody waits for the present work, so that no call out goes on for longer than anybody wants its answer.
//!
//! As with [`crate::behalf`], it is not handed from call to call: the door says it once around the whole of a request
//! ([`Within`]), and whoever calls out asks ([`left`]). Background work has none.

use std::{
    cell::Cell,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use crate::clock::Timestamp;

thread_local! {
    static UNTIL: Cell<Option<Timestamp>> = const { Cell::new(None) };
}

/// Work for which somebody waits until then. What it spawns elsewhere is not part of it.
#[derive(Debug)]
pub struct Within<F> {
    until: Timestamp,
    work: F,
}

impl<F> Within<F> {
    /// This work, which is held in its place already.
    pub fn new(until: Timestamp, work: F) -> Self {
        Self { until, work }
    }
}

impl<F: Future + Unpin> Future for Within<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let outer = UNTIL.get();
        // Who waits for a part of something waits no longer than for all of it.
        let until = outer.map_or(self.until, |outer| outer.min(self.until));
        let _put_back = PutBack(UNTIL.replace(Some(until)));
        Pin::new(&mut self.work).poll(context)
    }
}

/// Puts back what was before, also when the work panics: the thread goes on with the work of others.
struct PutBack(Option<Timestamp>);

impl Drop for PutBack {
    fn drop(&mut self) {
        UNTIL.set(self.0);
    }
}

/// How long somebody still waits for the present work; nothing when they have given up, `None` when nobody said.
pub fn left(now: Timestamp) -> Option<Duration> {
    UNTIL.get().map(|until| (until - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::pin, task::Waker};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn what_is_left_is_known_inside_and_only_there() {
        let mut asked = pin!(poll_fn(|_| Poll::Ready(left(at(7)))));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(left(at(7)), None);
        let within = Within::new(at(10), asked.as_mut());
        assert_eq!(pin!(within).poll(&mut context), Poll::Ready(Some(Duration::from_secs(3))));
        assert_eq!(left(at(7)), None);
    }

    #[test]
    fn a_part_never_has_longer_than_the_whole_and_what_is_over_leaves_nothing() {
        let mut context = Context::from_waker(Waker::noop());
        for (part, expected) in [(30, 3), (8, 1), (5, 0)] {
            let mut asked = pin!(poll_fn(|_| Poll::Ready(left(at(7)))));
            let mut inner = Within::new(at(part), asked.as_mut());
            let outer = Within::new(at(10), &mut inner);
            assert_eq!(pin!(outer).poll(&mut context), Poll::Ready(Some(Duration::from_secs(expected))), "{part}");
        }
    }
}
