//! The body of the answer that opens a WebSocket: what is written to it, as long as it lasts.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::web::Bytes;
use futures_util::Stream;
use metrics::Counter;
use tokio::sync::mpsc;

use super::{
    line::{Found, Line},
    mailbox::Parcel,
};
use crate::{Shared, wakes::Together};

/// What is written to one connection: what its session tells, and the news of the rooms it is in.
pub(super) struct Body {
    pub(super) line: Line,
    pub(super) parcels: mpsc::Receiver<Arc<Parcel>>,
    pub(super) together: Together,
    pub(super) services: Shared,
    /// Counts messages, looked up once for all.
    pub(super) written: Counter,
}

impl Stream for Body {
    type Item = Result<Bytes, actix_web::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            let frame = match this.line.find(|| this.services.shop.now(), cx) {
                Found::Told(frame) => Some(frame),
                Found::Ended => return Poll::Ready(None),
                Found::Shut => return Poll::Pending,
                Found::Open => match this.together.poll(cx, |cx| this.parcels.poll_recv(cx)) {
                    Poll::Ready(Some(parcel)) => this.line.frame(&parcel),
                    // The other end goes with the session, which says so.
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
                },
            };
            if let Some(frame) = frame {
                this.written.increment(1);
                return Poll::Ready(Some(Ok(frame.bytes())));
            }
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.line.lose();
    }
}
