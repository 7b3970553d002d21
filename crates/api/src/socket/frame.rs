//! A frame as it is sent: made once for all connections that get it.

use actix_http::ws::{CloseReason, OpCode, Parser};
use actix_web::web::{Bytes, BytesMut};

/// Most bytes that a ping or pong carries (RFC 6455, 5.5).
const CONTROL_MOST: usize = 125;
/// Most bytes around a payload: the head of a frame that is not masked.
const HEAD: usize = 10;

/// A frame as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame(Bytes);

impl Frame {
    /// A text.
    pub fn text(text: &str) -> Self {
        Self::of(OpCode::Text, text.as_bytes())
    }

    /// Asks for a sign of life.
    pub(super) fn ping() -> Self {
        Self::of(OpCode::Ping, b"")
    }

    /// Gives back what a ping carried.
    pub(super) fn pong(carried: &[u8]) -> Self {
        Self::of(OpCode::Pong, carried.get(..CONTROL_MOST).unwrap_or(carried))
    }

    /// The last frame.
    pub(super) fn close(reason: CloseReason) -> Self {
        let mut written = BytesMut::new();
        Parser::write_close(&mut written, Some(reason), false);
        Self(written.freeze())
    }

    fn of(code: OpCode, payload: &[u8]) -> Self {
        let mut written = BytesMut::with_capacity(payload.len() + HEAD);
        Parser::write_message(&mut written, payload, code, true, false);
        Self(written.freeze())
    }

    /// What is written to the socket.
    pub(super) fn bytes(self) -> Bytes {
        self.0
    }

    /// The text it carries.
    #[cfg(test)]
    pub(super) fn read(&self) -> String {
        let read = Parser::parse(&mut BytesMut::from(&*self.0), false, usize::MAX).unwrap();
        let (_, code, payload) = read.unwrap();
        assert_eq!(code, OpCode::Text);
        String::from_utf8(payload.unwrap_or_default().to_vec()).unwrap()
    }
}
