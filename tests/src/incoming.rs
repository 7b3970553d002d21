//! Requests as a server of a test reads them: a head, and the body that it announces.

use tokio::{io::AsyncReadExt as _, net::TcpStream};

/// A request that came.
#[derive(Debug)]
pub(crate) struct Incoming {
    head: String,
    /// Its body, byte for byte.
    pub(crate) body: Vec<u8>,
}

impl Incoming {
    /// The next request of a connection; `None` at its end. What came after it stays in the buffer for the one that follows.
    pub(crate) async fn next(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Self> {
        let mut part = vec![0; 65_536];
        // Looked for once: a body may be long.
        let mut head = None;
        loop {
            if head.is_none() {
                head = cut(buffer);
            }
            if let Some(request) = head.take_if(|(_, length)| buffer.len() >= *length) {
                let rest = buffer.split_off(request.1);
                let body = std::mem::replace(buffer, rest);
                return Some(Self { head: request.0, body });
            }
            match stream.read(&mut part).await {
                Ok(0) | Err(_) => return None,
                Ok(length) => buffer.extend_from_slice(&part[..length]),
            }
        }
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// Takes a whole head out of the buffer, and says how long the body after it is.
fn cut(buffer: &mut Vec<u8>) -> Option<(String, usize)> {
    let end = buffer.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
    buffer.drain(..end + 4);
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    Some((head, length))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
