//! As much of HTTP as two programs need that know each other.

use tokio::{io::AsyncReadExt as _, net::TcpStream};

use crate::Done;

/// A connection with what was read of it and not used.
pub(crate) struct Line {
    pub(crate) stream: TcpStream,
    bytes: Vec<u8>,
}

impl Line {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, bytes: Vec::with_capacity(16 * 1024) }
    }

    /// Reads more; `false` at the end.
    pub(crate) async fn more(&mut self) -> Done<bool> {
        Ok(self.stream.read_buf(&mut self.bytes).await? > 0)
    }

    /// The head of a message, with its first line; `None` at the end.
    pub(crate) async fn head(&mut self) -> Done<Option<String>> {
        loop {
            if let Some(end) = find(&self.bytes, b"\r\n\r\n") {
                let head = String::from_utf8(self.bytes.drain(..end + 4).collect())?;
                return Ok(Some(head.to_ascii_lowercase()));
            }
            if !self.more().await? {
                return Ok(None);
            }
        }
    }

    /// So many bytes of a body.
    pub(crate) async fn body(&mut self, length: usize) -> Done<Vec<u8>> {
        while self.bytes.len() < length {
            if !self.more().await? {
                return Err("it broke off".into());
            }
        }
        Ok(self.bytes.drain(..length).collect())
    }

    /// Waits until something of a body is there.
    pub(crate) async fn any(&mut self) -> Done {
        if self.bytes.is_empty() && !self.more().await? {
            return Err("it broke off".into());
        }
        Ok(())
    }

    /// Reads until a body in chunks is over.
    pub(crate) async fn chunks(&mut self) -> Done {
        const END: &[u8] = b"0\r\n\r\n";
        while !self.bytes.ends_with(END) {
            if !self.more().await? {
                return Err("it broke off".into());
            }
        }
        self.bytes.clear();
        Ok(())
    }
}

/// The length that a head says.
pub(crate) fn length(head: &str) -> usize {
    let line = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    line.and_then(|length| length.trim().parse().ok()).unwrap_or(0)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|part| part == what)
}
