//! Malware is known by `ClamAV`: its daemon is given all bytes as a stream (`INSTREAM` of its protocol) and says what it found.

use std::{io, path::PathBuf, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    Error, Result,
    assets::{Scan, Scanner},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use crate::resilience::{Class, Dependency, Repeat};

/// How long the daemon may take to answer a call, and to take a piece.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may look at what it was given.
const LOOK: Duration = Duration::from_mins(2);
/// Most bytes of an answer; a usual one has some dozens.
const ANSWER: usize = 4096;

/// Where the daemon listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClamAvAddress {
    /// On a port: `host:port`.
    Tcp(String),
    /// On a socket of this machine.
    Unix(PathBuf),
}

impl ClamAvAddress {
    /// The address in a setting, such as `tcp://127.0.0.1:3310` or `unix:///run/clamav/clamd.ctl`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix://") {
            return path.starts_with('/').then(|| Self::Unix(path.into()));
        }
        let (host, port) = text.strip_prefix("tcp://")?.rsplit_once(':')?;
        (!host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
            .then(|| Self::Tcp(format!("{host}:{port}")))
    }
}

/// The daemon of `ClamAV`.
#[derive(Debug)]
pub struct ClamAv {
    address: ClamAvAddress,
    daemon: Dependency,
}

impl ClamAv {
    /// The daemon at this address, called on these terms.
    pub fn new(address: ClamAvAddress, daemon: Dependency) -> Self {
        Self { address, daemon }
    }

    /// Calls it, and gives it a command.
    async fn call(&self, command: &[u8]) -> Result<Box<dyn Line>> {
        let called = self.daemon.call(Repeat::Always, |_| async {
            let called = self.dial(command).await;
            let class = if called.is_ok() { Class::Answered } else { Class::Failed };
            (called, class)
        });
        called.await.map_err(|refused| away(io::Error::other(refused)))?.map_err(away)
    }

    async fn dial(&self, command: &[u8]) -> io::Result<Box<dyn Line>> {
        let dialled = async {
            let mut line: Box<dyn Line> = match &self.address {
                ClamAvAddress::Tcp(address) => Box::new(TcpStream::connect(address).await?),
                ClamAvAddress::Unix(path) => Box::new(UnixStream::connect(path).await?),
            };
            line.write_all(command).await?;
            Ok(line)
        };
        within(PATIENCE, dialled).await
    }
}

#[async_trait]
impl Scanner for ClamAv {
    async fn begin(&self) -> Result<Box<dyn Scan>> {
        Ok(Box::new(Stream(self.call(b"zINSTREAM\0").await?)))
    }

    async fn check(&self) -> Result<()> {
        let mut line = self.call(b"zPING\0").await?;
        match answer(&mut line, PATIENCE).await?.as_str() {
            "PONG" => Ok(()),
            other => Err(away(io::Error::other(format!("PING was answered with {other:?}")))),
        }
    }
}

/// A way to the daemon.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// Bytes on their way to the daemon.
struct Stream(Box<dyn Line>);

impl Stream {
    async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
        let written = async {
            self.0.write_u32(length).await?;
            self.0.write_all(piece).await?;
            self.0.flush().await
        };
        within(PATIENCE, written).await
    }
}

#[async_trait]
impl Scan for Stream {
    async fn push(&mut self, piece: &Bytes) -> Result<()> {
        let Err(broken) = self.write(piece).await else { return Ok(()) };
        // It says why before it hangs up.
        match answer(&mut self.0, PATIENCE).await.and_then(|answer| verdict(&answer)) {
            Err(error @ Error::TooLarge(_)) => Err(error),
            _ => Err(away(broken)),
        }
    }

    async fn finish(mut self: Box<Self>) -> Result<Option<String>> {
        // An empty piece is the end. When it has hung up already, its answer says why.
        let _ = self.write(&[]).await;
        verdict(&answer(&mut self.0, LOOK).await?)
    }
}

async fn answer(line: &mut Box<dyn Line>, patience: Duration) -> Result<String> {
    let mut read = Vec::new();
    let end = async {
        while !read.ends_with(&[0]) && read.len() < ANSWER && line.read_buf(&mut read).await? > 0 {}
        Ok(())
    };
    within(patience, end).await.map_err(away)?;
    Ok(String::from_utf8_lossy(&read).trim_end_matches('\0').trim().to_owned())
}

/// What an answer says of a stream.
fn verdict(answer: &str) -> Result<Option<String>> {
    if answer == "stream: OK" {
        return Ok(None);
    }
    if let Some(name) = answer.strip_prefix("stream: ").and_then(|rest| rest.strip_suffix(" FOUND")) {
        tracing::warn!(found = name, "malware was refused");
        return Ok(Some(name.to_owned()));
    }
    if answer.contains("size limit exceeded") {
        return Err(Error::TooLarge("The file is longer than the scanner for malware looks at".to_owned()));
    }
    Err(away(io::Error::other(format!("the scanner answered {answer:?}"))))
}

async fn within<T>(patience: Duration, what: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(patience, what).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn away(fault: io::Error) -> Error {
    Error::Unavailable { what: "Scanner for malware", source: Box::new(fault) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let tcp = |text: &str| Some(ClamAvAddress::Tcp(text.to_owned()));
        for (text, expected) in [
            ("tcp://127.0.0.1:3310", tcp("127.0.0.1:3310")),
            ("tcp://[::1]:3310", tcp("[::1]:3310")),
            ("unix:///run/clamav/clamd.ctl", Some(ClamAvAddress::Unix("/run/clamav/clamd.ctl".into()))),
            ("unix://clamd.ctl", None),
            ("tcp://127.0.0.1", None),
            ("tcp://:3310", None),
            ("tcp://host:0", None),
            ("tcp://host:70000", None),
            ("http://host:3310", None),
            ("", None),
        ] {
            assert_eq!(ClamAvAddress::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn answers_are_understood() {
        assert_eq!(verdict("stream: OK").unwrap(), None);
        assert_eq!(verdict("stream: Eicar-Signature FOUND").unwrap().as_deref(), Some("Eicar-Signature"));
        assert!(matches!(verdict("INSTREAM size limit exceeded. ERROR"), Err(Error::TooLarge(_))));
        for answer in ["", "stream: Can't allocate memory ERROR", "UNKNOWN COMMAND", "stream: FOUND OK"] {
            assert!(matches!(verdict(answer), Err(Error::Unavailable { .. })), "{answer}");
        }
    }
}
