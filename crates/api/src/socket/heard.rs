//! The side of a connection that is read: whole messages out of frames.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_http::ws::{Codec, Frame, Item};
use actix_web::{
    dev::Payload,
    web::{Bytes, BytesMut},
};
use futures_util::Stream as _;
use tokio_util::codec::Decoder as _;

use super::closing::Ended;

/// What a client said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A text, in one frame or in several.
    Text(String),
    /// It asks for a sign of life, which carries this back.
    Ping(Bytes),
    /// It lives.
    Pong,
}

/// The side of a connection that is read.
pub(super) struct Heard {
    payload: Payload,
    /// What came and is no whole frame yet.
    bytes: BytesMut,
    codec: Codec,
    /// The text that came so far of one in several frames.
    begun: Option<BytesMut>,
    /// Most bytes of a text.
    most: usize,
}

impl Heard {
    pub(super) fn new(payload: Payload, most: usize) -> Self {
        Self { payload, bytes: BytesMut::new(), codec: Codec::new().max_size(most), begun: None, most }
    }

    /// What is said next. Nothing is lost when this is dropped before it answers.
    ///
    /// # Errors
    /// Why the connection ends.
    pub(super) async fn next(&mut self) -> Result<Said, Ended> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Said, Ended>> {
        loop {
            while let Some(frame) = self.codec.decode(&mut self.bytes).map_err(|error| Ended::of(&error))? {
                if let Some(said) = self.take(frame)? {
                    return Poll::Ready(Ok(said));
                }
            }
            match ready!(Pin::new(&mut self.payload).poll_next(cx)) {
                Some(Ok(bytes)) if self.bytes.is_empty() => self.bytes = BytesMut::from(bytes),
                Some(Ok(bytes)) => self.bytes.extend_from_slice(&bytes),
                Some(Err(_)) | None => return Poll::Ready(Err(Ended::Client)),
            }
        }
    }

    fn take(&mut self, frame: Frame) -> Result<Option<Said>, Ended> {
        if self.bytes.is_empty() {
            // It would keep the buffer alive that the connection reads into.
            self.bytes = BytesMut::new();
        }
        match frame {
            Frame::Text(bytes) => text(&bytes).map(Some),
            Frame::Ping(bytes) => Ok(Some(Said::Ping(bytes))),
            Frame::Pong(_) => Ok(Some(Said::Pong)),
            Frame::Close(_) => Err(Ended::Client),
            Frame::Binary(_) | Frame::Continuation(Item::FirstBinary(_)) => Err(Ended::Binary),
            Frame::Continuation(Item::FirstText(bytes)) => {
                self.begun = Some(BytesMut::new());
                self.more(&bytes)
            }
            Frame::Continuation(Item::Continue(bytes)) => self.more(&bytes),
            Frame::Continuation(Item::Last(bytes)) => {
                self.more(&bytes)?;
                text(&self.begun.take().unwrap_or_default()).map(Some)
            }
        }
    }

    fn more(&mut self, bytes: &[u8]) -> Result<Option<Said>, Ended> {
        let begun = self.begun.as_mut().ok_or(Ended::Protocol)?;
        if begun.len() + bytes.len() > self.most {
            return Err(Ended::TooBig);
        }
        begun.extend_from_slice(bytes);
        Ok(None)
    }
}

fn text(bytes: &[u8]) -> Result<Said, Ended> {
    std::str::from_utf8(bytes).map(|text| Said::Text(text.to_owned())).map_err(|_| Ended::NotUtf8)
}

#[cfg(test)]
mod tests {
    use actix_http::ws::{OpCode, Parser};
    use futures_util::{FutureExt as _, stream};

    use super::*;

    fn frame(code: OpCode, fin: bool, payload: &[u8]) -> Vec<u8> {
        let mut written = BytesMut::new();
        Parser::write_message(&mut written, payload, code, fin, true);
        written.to_vec()
    }

    /// What is heard when these bytes come in pieces of so many, until the connection ends.
    fn heard(bytes: &[u8], piece: usize) -> (Vec<Said>, Ended) {
        let pieces: Vec<_> = bytes.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut heard = Heard::new(Payload::Stream { payload: Box::pin(stream::iter(pieces)) }, 16);
        let mut all = Vec::new();
        loop {
            match heard.next().now_or_never().unwrap() {
                Ok(said) => all.push(said),
                Err(ended) => return (all, ended),
            }
        }
    }

    #[test]
    fn texts_come_whole_however_they_are_cut() {
        let bytes = [
            frame(OpCode::Text, true, b"one"),
            frame(OpCode::Text, false, "zwölf".as_bytes().get(..3).unwrap()),
            frame(OpCode::Ping, true, b"still there?"),
            frame(OpCode::Continue, false, "zwölf".as_bytes().get(3..).unwrap()),
            frame(OpCode::Continue, true, b"!"),
            frame(OpCode::Pong, true, b""),
            frame(OpCode::Text, true, b""),
        ]
        .concat();
        let text = |text: &str| Said::Text(text.to_owned());
        for piece in 1..=bytes.len() {
            let (said, ended) = heard(&bytes, piece);
            let ping = Said::Ping(Bytes::from_static(b"still there?"));
            assert_eq!(said, [text("one"), ping, text("zwölf!"), Said::Pong, text("")], "{piece}");
            assert_eq!(ended, Ended::Client, "it is gone");
        }
    }

    #[test]
    fn what_is_no_text_of_ours_ends_the_connection() {
        let too_big = [frame(OpCode::Text, false, &[b'x'; 9]), frame(OpCode::Continue, true, &[b'x'; 8])].concat();
        let cut = [frame(OpCode::Text, false, "ö".as_bytes()), frame(OpCode::Continue, true, &[0xc3])].concat();
        let cases = [
            (too_big, Ended::TooBig),
            (frame(OpCode::Text, true, &[b'x'; 17]), Ended::TooBig),
            (cut, Ended::NotUtf8),
            (frame(OpCode::Text, true, &[0xff]), Ended::NotUtf8),
            (frame(OpCode::Binary, true, b"x"), Ended::Binary),
            (frame(OpCode::Binary, false, b"x"), Ended::Binary),
            (frame(OpCode::Continue, true, b"x"), Ended::Protocol),
            (vec![0x81, 0x01, b'x'], Ended::Protocol),
            (frame(OpCode::Close, true, b""), Ended::Client),
        ];
        for (bytes, wanted) in cases {
            let (said, ended) = heard(&bytes, bytes.len());
            assert_eq!((said.as_slice(), ended), ([].as_slice(), wanted), "{bytes:?}");
        }
    }
}
