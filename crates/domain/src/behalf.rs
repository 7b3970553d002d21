//! On whose behalf: an operator who acts as somebody else, so that whatever is done meanwhile names both.
//!
//! Who acts is not handed from call to call, since one that forgot it would leave a trace without it. The door says it once around
//! the whole of a request ([`Behalf::new`]), and [`crate::Shop::trace`] asks once for all use cases.

use std::{
    cell::Cell,
    pin::Pin,
    task::{Context, Poll},
};

use serde::{Deserialize, Serialize};

use crate::id::{SessionId, UserId};

thread_local! {
    static ACTING: Cell<Option<UserId>> = const { Cell::new(None) };
}

/// An operator who acts as somebody else, and the session they began it from: when that ends, so does this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Impersonator {
    /// The operator.
    pub user: UserId,
    /// Their own session.
    pub session: SessionId,
}

/// Work that is done by an operator as somebody else. What it spawns elsewhere is not part of it.
pub struct Behalf<F> {
    by: UserId,
    work: Pin<Box<F>>,
}

impl<F> std::fmt::Debug for Behalf<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Behalf").field("by", &self.by).finish_non_exhaustive()
    }
}

impl<F> Behalf<F> {
    /// This work, done by this operator.
    pub fn new(by: UserId, work: F) -> Self {
        Self { by, work: Box::pin(work) }
    }
}

impl<F: Future> Future for Behalf<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _put_back = PutBack(ACTING.replace(Some(self.by)));
        self.work.as_mut().poll(context)
    }
}

/// Puts back what was before, also when the work panics: the thread goes on with the work of others.
struct PutBack(Option<UserId>);

impl Drop for PutBack {
    fn drop(&mut self) {
        ACTING.set(self.0);
    }
}

/// The operator who acts just now as somebody else.
pub(crate) fn acting() -> Option<UserId> {
    ACTING.get()
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use uuid::Uuid;

    use super::*;

    const ADA: UserId = UserId(Uuid::from_u128(1));

    #[tokio::test]
    async fn who_acts_is_known_while_the_work_runs_and_to_it_alone() {
        let (first, second) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
        let hers = Behalf::new(ADA, async {
            let before = acting();
            first.notify_one();
            second.notified().await;
            (before, acting())
        });
        let mine = async {
            first.notified().await;
            let seen = acting();
            second.notify_one();
            seen
        };
        let (hers, mine) = tokio::join!(hers, mine);
        assert_eq!((hers, mine, acting()), ((Some(ADA), Some(ADA)), None, None));
    }

    #[test]
    fn a_panic_leaves_nobody_behind() {
        let polled = std::panic::catch_unwind(|| {
            let mut work = Behalf::new(ADA, async { panic!("in the middle") });
            let _ready: Poll<()> = Pin::new(&mut work).poll(&mut Context::from_waker(Waker::noop()));
        });
        assert!(polled.is_err());
        assert_eq!(acting(), None);
    }
}
