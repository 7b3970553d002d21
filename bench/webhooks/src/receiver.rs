//! A receiver that answers at once and counts.

use std::{
    error::Error,
    sync::{Arc, Mutex},
    time::Instant,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const DONE: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const LATER: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n";

/// What came since somebody asked.
struct Seen {
    requests: usize,
    bytes: usize,
    first: Option<Instant>,
    last: Option<Instant>,
    /// How it answers.
    answer: &'static str,
}

/// Receives until it is killed.
pub(crate) async fn serve(port: u16) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let seen = Arc::new(Mutex::new(Seen { requests: 0, bytes: 0, first: None, last: None, answer: DONE }));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let seen = Arc::clone(&seen);
        tokio::spawn(async move {
            // A caller that leaves is none of its business.
            let _ = converse(stream, &seen).await;
        });
    }
}

/// Answers one request of a connection after another.
async fn converse(mut stream: TcpStream, seen: &Mutex<Seen>) -> std::io::Result<()> {
    let (mut buffer, mut filled) = (vec![0; 64 * 1024], 0);
    loop {
        if let Some((head, whole)) = measure(&buffer[..filled]) {
            let answer = note(&buffer[..head], whole - head, seen);
            stream.write_all(answer.as_bytes()).await?;
            buffer.copy_within(whole..filled, 0);
            filled -= whole;
            continue;
        }
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Ok(());
        }
        filled += read;
    }
}

/// Where the head of the request at the beginning ends, and where its body does, when all of it is there.
fn measure(bytes: &[u8]) -> Option<(usize, usize)> {
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let length = text.lines().filter_map(|line| line.split_once(": "));
    let length =
        length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, length)| length.parse());
    let whole = head + length.last().and_then(Result::ok).unwrap_or(0);
    (bytes.len() >= whole).then_some((head, whole))
}

/// Counts a webhook, or does what is asked.
fn note(head: &[u8], body: usize, seen: &Mutex<Seen>) -> String {
    let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if head.starts_with(b"GET /seen ") {
        let span = seen.first.zip(seen.last).map_or(0.0, |(first, last)| (last - first).as_secs_f64());
        let told = format!(r#"{{"requests":{},"bytes":{},"seconds":{span}}}"#, seen.requests, seen.bytes);
        (seen.requests, seen.bytes, seen.first, seen.last) = (0, 0, None, None);
        return format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{told}", told.len());
    }
    if head.starts_with(b"GET /count ") {
        let told = seen.requests.to_string();
        return format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{told}", told.len());
    }
    if head.starts_with(b"GET /answer/") {
        seen.answer = if head.starts_with(b"GET /answer/503 ") { LATER } else { DONE };
        return DONE.to_owned();
    }
    let now = Instant::now();
    seen.requests += 1;
    seen.bytes += body;
    seen.first.get_or_insert(now);
    seen.last = Some(now);
    seen.answer.to_owned()
}
