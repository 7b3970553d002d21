//! A mail server that keeps what it is given: real SMTP over real TCP, without encryption.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

/// How long a mail may take to arrive, on a machine that runs other tests too.
const ARRIVAL: Duration = Duration::from_mins(1);

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Whom the envelope names.
    pub to: String,
    /// Head and body as they came.
    pub raw: String,
}

impl Letter {
    /// A line of its head.
    pub fn header(&self, name: &str) -> String {
        let head = self.raw.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_default();
        line.to_owned()
    }

    /// Its plain text, decoded.
    pub fn text(&self) -> String {
        self.part("text/plain")
    }

    /// Its HTML, decoded.
    pub fn html(&self) -> String {
        self.part("text/html")
    }

    fn part(&self, kind: &str) -> String {
        let start =
            self.raw.find(&format!("Content-Type: {kind}")).unwrap_or_else(|| panic!("no {kind}: {}", self.raw));
        let (head, body) = self.raw[start..].split_once("\r\n\r\n").unwrap();
        let body = body.split("\r\n--").next().unwrap();
        match head.lines().find_map(|line| line.strip_prefix("Content-Transfer-Encoding: ")) {
            Some("quoted-printable") => unquoted(body),
            Some("7bit") | None => body.replace("\r\n", "\n"),
            Some(other) => panic!("an encoding that this test does not read: {other}"),
        }
    }

    /// The link in its text.
    pub fn link(&self) -> String {
        let text = self.text();
        let link = text.lines().find(|line| line.starts_with("http") || line.contains("://"));
        link.unwrap_or_else(|| panic!("no link: {text}")).trim().to_owned()
    }

    /// The token in its link.
    pub fn token(&self) -> String {
        let link = self.link();
        link.split_once("token=").unwrap_or_else(|| panic!("no token: {link}")).1.to_owned()
    }
}

/// Text of RFC 2045, 6.7.
fn unquoted(text: &str) -> String {
    let text = text.replace("=\r\n", "").replace("\r\n", "\n");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'=' && tail.len() >= 2 {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// A running mail server, on a thread of its own so that it goes on while a test waits for a command. It ends with this value.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    letters: Arc<Mutex<Vec<Letter>>>,
    _running: oneshot::Sender<()>,
}

impl MailServer {
    /// Takes every mail.
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0")
    }

    /// Takes every mail, at this address.
    pub fn start_at(address: &str) -> Self {
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let letters = Arc::<Mutex<Vec<Letter>>>::default();
        let kept = Arc::clone(&letters);
        let (running, ended) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = serve(listener, kept) => {}
                    _ = ended => {}
                }
            });
        });
        Self { address, letters, _running: running }
    }

    /// A port that nobody listens at, for a server that is away.
    pub fn away() -> SocketAddr {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    /// The settings that send mails here.
    pub fn settings(address: SocketAddr) -> Vec<(&'static str, String)> {
        vec![
            ("SOUK__MAIL__TRANSPORT", "smtp".to_owned()),
            ("SOUK__MAIL__SMTP_HOST", address.ip().to_string()),
            ("SOUK__MAIL__SMTP_PORT", address.port().to_string()),
            ("SOUK__MAIL__SMTP_SECURITY", "none".to_owned()),
        ]
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything that arrived for an address, oldest first.
    pub fn letters_to(&self, to: &str) -> Vec<Letter> {
        self.letters.lock().unwrap().iter().filter(|letter| letter.to == to).cloned().collect()
    }

    /// Waits until so many mails have arrived for an address, and gives the last.
    #[track_caller]
    pub fn nth_to<'a>(&'a self, to: &'a str, count: usize) -> impl Future<Output = Letter> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let until = Instant::now() + ARRIVAL;
            loop {
                let letters = self.letters_to(to);
                if letters.len() >= count {
                    return letters[count - 1].clone();
                }
                assert!(Instant::now() < until, "{caller}: {} of {count} mails to {to} arrived", letters.len());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn serve(listener: TcpListener, kept: Arc<Mutex<Vec<Letter>>>) {
    let mut talks = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let kept = Arc::clone(&kept);
        talks.spawn(async move {
            // Who breaks off has said nothing.
            let _ = talk(stream, &kept).await;
        });
    }
}

async fn talk(stream: TcpStream, kept: &Mutex<Vec<Letter>>) -> std::io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading);
    writing.write_all(b"220 sink.test ready\r\n").await?;
    let (mut to, mut line) = (Vec::new(), String::new());
    loop {
        line.clear();
        if lines.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.split([' ', ':', '\r']).next().unwrap_or_default().to_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" => b"250-sink.test\r\n250 8BITMIME\r\n",
            "RCPT" => {
                to.push(line.split(['<', '>']).nth(1).unwrap_or_default().to_owned());
                b"250 ok\r\n"
            }
            "DATA" => {
                writing.write_all(b"354 go on\r\n").await?;
                let mut raw = String::new();
                while !raw.ends_with("\r\n.\r\n") {
                    if lines.read_line(&mut raw).await? == 0 {
                        return Ok(());
                    }
                }
                let raw = raw.trim_end_matches(".\r\n").replace("\r\n..", "\r\n.");
                kept.lock().unwrap().extend(to.drain(..).map(|to| Letter { to, raw: raw.clone() }));
                b"250 kept\r\n"
            }
            "QUIT" => {
                writing.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => b"250 ok\r\n",
        };
        writing.write_all(answer).await?;
    }
}
