//! Redis for tests: a corner of the shared server, or a server of one's own that can be stopped and started.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::port::free_port;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(20);

/// Where a test finds Redis, and the beginning of all names it may use there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corner {
    /// The URL of the server.
    pub url: String,
    /// What the test's names begin with; nobody else's do.
    pub prefix: String,
}

impl Corner {
    /// A corner of the server that `SOUK_TEST_REDIS_URL` names.
    ///
    /// # Panics
    /// Without a Redis server: a test is never skipped in silence.
    #[expect(clippy::disallowed_methods, reason = "the test runner says by environment where the server is")]
    pub fn shared() -> Self {
        let url = std::env::var("SOUK_TEST_REDIS_URL")
            .expect("this test needs Redis: run scripts/test, which starts one and sets SOUK_TEST_REDIS_URL");
        Self::of(url)
    }

    fn of(url: String) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("test-{}-{}:", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self { url, prefix }
    }
}

/// A Redis server of a test's own. It forgets everything when it is stopped, and ends with this value.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    process: Option<Child>,
    folder: TempDir,
}

impl RedisServer {
    /// Starts one on a free port.
    pub fn start() -> Self {
        let mut server = Self { port: 0, process: None, folder: tempfile::tempdir().unwrap() };
        for _ in 0..5 {
            server.port = free_port();
            if server.ran() {
                return server;
            }
        }
        panic!("redis-server did not start:\n{}", server.log());
    }

    /// Where it is.
    pub fn corner(&self) -> Corner {
        Corner::of(format!("redis://:secret@127.0.0.1:{}", self.port))
    }

    /// Ends it as a power cut does.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Starts it again, empty, where it was.
    pub fn again(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        assert!(self.ran(), "redis-server did not start again:\n{}", self.log());
    }

    /// Lets it stand still, as a machine does that swaps: it is reached and does not answer.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Sends one command, such as `FLUSHALL`, and gives the first line of the answer.
    pub fn tell(&self, command: &str) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.write_all(format!("AUTH secret\r\n{command}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.lines().nth(1).unwrap_or_default().to_owned()
    }

    fn signal(&self, name: &str) {
        let process = self.process.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -\"$1\" \"$0\"", &process, name]).status().unwrap();
        assert!(sent.success(), "kill -{name}");
    }

    fn ran(&mut self) -> bool {
        let folder = self.folder.path();
        let settings = format!(
            "port {}\nbind 127.0.0.1\nrequirepass secret\ndir {}\nsave \"\"\nappendonly no\n",
            self.port,
            folder.display()
        );
        fs::write(folder.join("redis.conf"), settings).unwrap();
        let log = fs::File::create(folder.join("server.log")).unwrap();
        let mut process = Command::new("redis-server")
            .arg(folder.join("redis.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("redis-server, which comes with Redis");
        let until = Instant::now() + START;
        while Instant::now() < until {
            if process.try_wait().unwrap().is_some() {
                return false;
            }
            if self.log().contains("Ready to accept connections") {
                self.process = Some(process);
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        process.kill().unwrap();
        process.wait().unwrap();
        false
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}
