//! A PostgreSQL server of a test's own, which can be stopped hard, started again and made to stand still.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::port::free_port;

/// How long a server may take to start, and to recover after it was stopped hard.
const START: Duration = Duration::from_mins(1);

/// The account that PostgreSQL runs under where the tests run as root, which it refuses.
const ACCOUNT: &str = "postgres";

/// A PostgreSQL server of a test's own. It keeps what it acknowledged, whichever way it is stopped, and ends with this value.
#[derive(Debug)]
pub struct PostgresServer {
    programs: String,
    port: u16,
    process: Option<Child>,
    folder: TempDir,
}

impl PostgresServer {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// Without the programs of PostgreSQL: a test is never skipped in silence.
    #[expect(clippy::disallowed_methods, reason = "the test runner says by environment where the programs are")]
    pub fn start() -> Self {
        let programs = std::env::var("SOUK_TEST_POSTGRES_BIN").expect(
            "this test needs PostgreSQL's programs: run scripts/test, which finds them and sets SOUK_TEST_POSTGRES_BIN",
        );
        let mut server = Self { programs, port: 0, process: None, folder: tempfile::tempdir().unwrap() };
        server.made();
        for _ in 0..5 {
            server.port = free_port();
            if server.ran() {
                return server;
            }
        }
        panic!("PostgreSQL did not start:\n{}", server.log());
    }

    /// The superuser's URL of the maintenance database.
    pub fn url(&self) -> String {
        format!("postgres://postgres:secret@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends it at once, as PostgreSQL's immediate shutdown does: nothing is finished, nobody is told, and it recovers from its log
    /// when it starts.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            signal("QUIT", &[process.id().to_string()]);
            process.wait().unwrap();
        }
    }

    /// Starts it again where it was, with what it had acknowledged.
    pub fn again(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        assert!(self.ran(), "PostgreSQL did not start again:\n{}", self.log());
    }

    /// Lets it and all who serve connections stand still: it is reached and does not answer.
    pub fn freeze(&self) {
        // Whoever has stopped begets no more, so this finds all in the end.
        let first = self.process.as_ref().expect("it runs").id().to_string();
        signal("STOP", std::slice::from_ref(&first));
        signal("STOP", &self.children());
    }

    /// Lets all of them go on.
    pub fn thaw(&self) {
        let mut all = self.children();
        all.push(self.process.as_ref().expect("it runs").id().to_string());
        signal("CONT", &all);
    }

    fn children(&self) -> Vec<String> {
        let first = self.process.as_ref().expect("it runs").id();
        let path = format!("/proc/{first}/task/{first}/children");
        fs::read_to_string(path).unwrap().split_whitespace().map(str::to_owned).collect()
    }

    fn made(&self) {
        let (data, password) = (self.folder.path().join("data"), self.folder.path().join("password"));
        fs::write(&password, "secret").unwrap();
        if is_root() {
            let owned = Command::new("chown").args(["-R", ACCOUNT]).arg(self.folder.path()).status().unwrap();
            assert!(owned.success(), "chown");
        }
        let made = self
            .program("initdb")
            .args(["--username=postgres", "--auth=password", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .arg(format!("--pgdata={}", data.display()))
            .arg(format!("--pwfile={}", password.display()))
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    }

    fn ran(&mut self) -> bool {
        let (folder, data) = (self.folder.path(), self.folder.path().join("data"));
        let log = fs::File::create(folder.join("server.log")).unwrap();
        let mut process = self
            .program("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", &format!("unix_socket_directories={}", folder.display())])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let until = Instant::now() + START;
        while Instant::now() < until {
            if process.try_wait().unwrap().is_some() {
                return false;
            }
            if says_ready(&data.join("postmaster.pid"), process.id()) {
                self.process = Some(process);
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        process.kill().unwrap();
        process.wait().unwrap();
        false
    }

    fn program(&self, name: &str) -> Command {
        let path = Path::new(&self.programs).join(name);
        let mut command = if is_root() {
            let mut lent = Command::new("setpriv");
            lent.args([&format!("--reuid={ACCOUNT}"), &format!("--regid={ACCOUNT}"), "--init-groups"]).arg(path);
            lent
        } else {
            Command::new(path)
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.thaw();
            self.stop();
        }
    }
}

/// Whether the lock file of a server says that this process is ready; that of one that was stopped hard is left behind.
fn says_ready(lock: &Path, process: u32) -> bool {
    let told = fs::read_to_string(lock).unwrap_or_default();
    let mut lines = told.lines();
    lines.next() == Some(&process.to_string()) && lines.nth(6).map(str::trim) == Some("ready")
}

/// Sends a signal to each of them that is still there: one who served a connection may end at any time.
fn signal(name: &str, processes: &[String]) {
    for process in processes {
        let sent = Command::new("sh").args(["-c", "kill -\"$0\" \"$1\"", name, process]).output().unwrap();
        let there = Path::new("/proc").join(process).exists();
        assert!(sent.status.success() || !there, "kill -{name} {process}: {}", String::from_utf8_lossy(&sent.stderr));
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").unwrap().uid() == 0
}
