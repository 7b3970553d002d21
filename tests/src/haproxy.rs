//! The load balancer before several nodes, set up with the lines that the README gives operators.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Client, Server, port::free_port};

/// How long it may take to start, or to notice that a node came back.
const PATIENCE: Duration = Duration::from_secs(30);

/// What else stands among the nodes when reads are asked of another one.
const RETRIES: &str = "  option redispatch 1\n  retry-on conn-failure empty-response 503\n  http-request disable-l7-retry unless { method GET HEAD }\n";

/// A running `haproxy`. Dropping it kills it.
#[derive(Debug)]
pub struct Haproxy {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Haproxy {
    /// Starts one before these nodes, and waits until it has found all of them well.
    pub async fn before(nodes: &[Server]) -> Self {
        Self::with(nodes, "").await
    }

    /// As [`Haproxy::before`], but what only reads is asked of another node when one is away or says that it cannot: three
    /// more lines of the README.
    pub async fn before_that_retries(nodes: &[Server]) -> Self {
        Self::with(nodes, RETRIES).await
    }

    async fn with(nodes: &[Server], lines: &str) -> Self {
        for _ in 0..5 {
            let Some(started) = Self::try_before(nodes, lines).await else { continue };
            for node in 0..nodes.len() {
                started.up(node).await;
            }
            return started;
        }
        panic!("haproxy did not start");
    }

    async fn try_before(nodes: &[Server], lines: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let (file, log) = (folder.path().join("haproxy.cfg"), folder.path().join("haproxy.log"));
        fs::write(&file, configuration(port, nodes, lines)).unwrap();
        let log = fs::File::create(log).unwrap();
        let mut command = Command::new(program());
        command.args(["-db", "-f"]).arg(file).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().expect("haproxy, which scripts/test installs");
        let mut started = Self { process, port, folder };
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if started.process.try_wait().unwrap().is_some() {
                eprintln!("haproxy ended: {}", started.log());
                return None;
            }
            if started.client().reachable("/haproxy;csv").await {
                return Some(started);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("haproxy did not start:\n{}", started.log());
    }

    /// Waits until it sends requests to this node.
    pub async fn up(&self, node: usize) {
        let line = format!("nodes,node{node},");
        let until = Instant::now() + PATIENCE;
        loop {
            let text = self.client().get("/haproxy;csv").await.text();
            let row = text.lines().find(|row| row.starts_with(&line)).unwrap_or_else(|| panic!("no {line}: {text}"));
            // Checked and well; `no check` and `UP 1/2`, which is on its way down, are other words.
            if row.split(',').any(|cell| cell == "UP") {
                return;
            }
            assert!(Instant::now() < until, "node {node} is not up: {row}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Its address, such as `http://127.0.0.1:8080`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Somebody without an account.
    pub fn client(&self) -> Client {
        Client::new(self.url())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("haproxy.log")).unwrap_or_default()
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The lines of the README, for ports of this test, and a page that shows how the nodes are.
fn configuration(port: u16, nodes: &[Server], lines: &str) -> String {
    let mut text = format!(
        "defaults\n  mode http\n  timeout connect 2s\n  timeout client 60s\n  timeout server 60s\n  option redispatch\n\n\
         frontend shop\n  bind 127.0.0.1:{port}\n  stats enable\n  stats uri /haproxy\n  default_backend nodes\n\n\
         backend nodes\n  option httpchk GET /ready\n  default-server check inter 1s fall 2 rise 1\n{lines}"
    );
    for (number, node) in nodes.iter().enumerate() {
        writeln!(text, "  server node{number} {}", node.url().trim_start_matches("http://")).unwrap();
    }
    text
}

/// Debian keeps it beside the paths of plain users.
fn program() -> &'static Path {
    let beside = Path::new("/usr/sbin/haproxy");
    if beside.exists() { beside } else { Path::new("haproxy") }
}
