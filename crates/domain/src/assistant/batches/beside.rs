//! Work that goes on side by side, on the thread of whoever waits for it.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

/// Some work, a few pieces of it at once.
pub(super) struct Beside<'a, T>(Vec<Pin<Box<dyn Future<Output = T> + Send + 'a>>>);

impl<'a, T> Beside<'a, T> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn begin(&mut self, work: impl Future<Output = T> + Send + 'a) {
        self.0.push(Box::pin(work));
    }

    /// What comes of the piece that is done first; `None` when none goes on, or the reason is there not to wait for any.
    pub(super) async fn next(&mut self, mut reason: Pin<&mut (impl Future<Output = ()> + Send)>) -> Option<T> {
        if self.0.is_empty() {
            return None;
        }
        let found = poll_fn(|context| {
            for (place, work) in self.0.iter_mut().enumerate() {
                if let Poll::Ready(done) = work.as_mut().poll(context) {
                    return Poll::Ready(Some((place, done)));
                }
            }
            reason.as_mut().poll(context).map(|()| None)
        });
        let (place, done) = found.await?;
        drop(self.0.swap_remove(place));
        Some(done)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn what_is_done_first_comes_first() {
        let (say, said) = oneshot::channel::<u32>();
        let mut beside = Beside::new();
        beside.begin(async { said.await.unwrap() });
        beside.begin(async { 2 });
        let mut never = pin!(std::future::pending());
        assert_eq!((beside.len(), beside.next(never.as_mut()).await), (2, Some(2)));
        say.send(1).unwrap();
        assert_eq!((beside.next(never.as_mut()).await, beside.next(never.as_mut()).await), (Some(1), None));
    }

    #[tokio::test]
    async fn nobody_waits_for_what_there_is_a_reason_not_to() {
        let mut beside = Beside::new();
        beside.begin(std::future::pending::<u32>());
        assert_eq!((beside.next(pin!(async {})).await, beside.len()), (None, 1));
    }
}
