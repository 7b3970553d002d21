//! WebSockets: clients are in the room of all, the publisher says a number there.

use std::{error::Error, sync::Arc, time::Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, tcp::OwnedWriteHalf},
};

use crate::{Run, number};

/// What makes a message as long as those of the peer this is compared with.
pub const PADDING: usize = 165;

async fn open(address: &str, token: Option<&str>) -> Option<TcpStream> {
    let mut socket = TcpStream::connect(address).await.ok()?;
    socket.set_nodelay(true).ok()?;
    let credentials = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "GET /ws HTTP/1.1\r\nhost: {address}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n{credentials}\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    socket.write_all(request.as_bytes()).await.ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    head.starts_with(b"HTTP/1.1 101").then_some(socket)
}

/// The frames of a socket, as they come.
struct Frames {
    bytes: Vec<u8>,
    start: usize,
}

impl Frames {
    /// The next frame that is whole: its opcode and its payload. Servers do not mask.
    fn next(&mut self) -> Option<(u8, &[u8])> {
        let rest = &self.bytes[self.start..];
        let (&first, &second) = (rest.first()?, rest.get(1)?);
        let (head, length) = match second & 0x7f {
            126 => (4, usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]))),
            127 => (10, usize::try_from(u64::from_be_bytes(rest.get(2..10)?.try_into().ok()?)).ok()?),
            short => (2, usize::from(short)),
        };
        if rest.len() < head + length {
            return None;
        }
        let payload = self.start + head;
        self.start = payload + length;
        Some((first & 0x0f, &self.bytes[payload..payload + length]))
    }

    fn add(&mut self, read: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(read);
    }
}

/// Listens; what is said counts from the text that holds `from` on, or from the beginning.
pub async fn listen(run: Arc<Run>, address: String, from: Option<&str>) -> Option<()> {
    let mut socket = open(&address, None).await?;
    let (mut frames, mut buffer, mut last, mut listening) =
        (Frames { bytes: Vec::new(), start: 0 }, vec![0; 8192], 0, from.is_none());
    if listening {
        run.listens();
    }
    loop {
        let read = socket.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        let now = Instant::now();
        frames.add(&buffer[..read]);
        let mut ping = None;
        while let Some((opcode, payload)) = frames.next() {
            match opcode {
                9 => ping = Some(payload.to_vec()),
                1 => {
                    let text = std::str::from_utf8(payload).ok()?;
                    if let Some(said) = number(text, "\"content\":\"") {
                        run.heard(said, &mut last, now);
                    } else if !listening && from.is_some_and(|from| text.contains(from)) {
                        listening = true;
                        run.listens();
                    }
                }
                _ => {}
            }
        }
        if let Some(ping) = ping {
            socket.write_all(&masked(10, &ping)).await.ok()?;
        }
    }
}

/// A frame of a client, masked with zeros.
fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(payload.len()) {
        Ok(short) if short < 126 => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}

/// Says numbers in the room of all.
pub struct Publisher(OwnedWriteHalf);

impl Publisher {
    pub async fn connect(address: &str, token: &str) -> Result<Self, Box<dyn Error>> {
        let socket = open(address, Some(token)).await.ok_or("the publisher was refused")?;
        let (mut heard, said) = socket.into_split();
        tokio::spawn(async move {
            let mut buffer = vec![0; 65536];
            while heard.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
        });
        Ok(Self(said))
    }

    pub async fn publish(&mut self, number: usize) -> Result<(), Box<dyn Error>> {
        let text = format!("{{\"type\":\"message\",\"content\":\"{number} {}\"}}", "x".repeat(PADDING));
        Ok(self.0.write_all(&masked(1, text.as_bytes())).await?)
    }
}
