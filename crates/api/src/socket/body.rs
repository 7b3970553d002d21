//! The body of the answer that opens a WebSocket: what is written to it, as long as it lasts.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::web::Bytes;
use futures_util::Stream;

use super::line::{Found, Line};
use crate::{Shared, connection::Outlet};

/// What is written to one connection: what its session tells, and news of the rooms it is in that could not be written at once.
pub(super) struct Body {
    line: Line,
    /// Where news may be written to at once, until the line has it.
    outlet: Option<Outlet>,
    services: Shared,
}

impl Body {
    pub(super) fn new(line: Line, outlet: Option<Outlet>, services: Shared) -> Self {
        Self { line, outlet, services }
    }
}

impl Stream for Body {
    type Item = Result<Bytes, actix_web::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        // The head of the answer goes before this, so that nothing can be written ahead of it.
        if let Some(outlet) = this.outlet.take() {
            this.line.begin(outlet);
        }
        match this.line.find(|| this.services.shop.now(), cx) {
            Found::Told(frame) => {
                this.services.rooms.floor.written.increment(1);
                Poll::Ready(Some(Ok(frame.bytes())))
            }
            Found::Ended => Poll::Ready(None),
            Found::Nothing => Poll::Pending,
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.line.lose();
    }
}
