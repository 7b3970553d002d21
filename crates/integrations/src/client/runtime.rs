//! Where connections of calls are driven: on threads of their own, so that a peer who floods one takes no time from requests,
//! and none from the clock by which a call ends.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    runtime::{Builder, Runtime},
    task::{JoinError, JoinHandle},
};

/// Threads for the connections of all calls.
const THREADS: usize = 2;

/// Drives what belongs to calls.
#[derive(Debug)]
pub(super) struct Driver(Option<Runtime>);

impl Driver {
    pub(super) fn new() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).thread_name("calls").enable_all().build();
        Ok(Self(Some(runtime?)))
    }

    /// Does this there. It ends when nobody waits for it any more. `None` when the process is about to end.
    pub(super) fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<Run<T>> {
        self.0.as_ref().map(|runtime| Run(runtime.spawn(work)))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // To wait for it would be to block whoever lets go of it last.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Work that is done there.
pub(super) struct Run<T>(JoinHandle<T>);

impl<T> Future for Run<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for Run<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
