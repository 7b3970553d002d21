//! The real binary in a folder of its own.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Client, Database, Tables, port::free_port};

/// How long a debug build may take to start, on a machine that runs other tests too.
const START: Duration = Duration::from_mins(1);
/// How long it may take to end once told to.
const END: Duration = Duration::from_secs(40);

/// What most tests run with: no rate limits, and password hashes that cost next to nothing.
const QUICK: [(&str, &str); 27] = [
    // A loaded machine is slow, not away.
    ("SOUK__DATABASE__ACQUIRE_TIMEOUT_MS", "30000"),
    ("SOUK__DATABASE__ANSWER_TIMEOUT_MS", "30000"),
    ("SOUK__REDIS__RESPONSE_TIMEOUT_MS", "5000"),
    ("SOUK__LIMITS__SIGN_IN", "off"),
    ("SOUK__LIMITS__LOGIN_ANONYMOUSLY", "off"),
    ("SOUK__LIMITS__UPLOAD_MODEL", "off"),
    ("SOUK__LIMITS__UPLOAD_IMAGE", "off"),
    ("SOUK__LIMITS__ACCOUNT_TRIES", "off"),
    ("SOUK__LIMITS__ACCOUNT_STRANGERS", "off"),
    ("SOUK__LIMITS__ACCOUNT_LETTERS", "off"),
    ("SOUK__LIMITS__SECOND_FACTOR_TRIES", "off"),
    ("SOUK__LIMITS__SECOND_FACTOR_STRANGERS", "off"),
    ("SOUK__LIMITS__LIST_PRODUCTS", "off"),
    ("SOUK__LIMITS__GET_PRODUCT", "off"),
    ("SOUK__LIMITS__CREATE_PRODUCT", "off"),
    ("SOUK__LIMITS__UPDATE_PRODUCT", "off"),
    ("SOUK__LIMITS__DELETE_PRODUCT", "off"),
    ("SOUK__LIMITS__UPLOAD_IMAGE", "off"),
    ("SOUK__LIMITS__RECEIVE_HOOK", "off"),
    ("SOUK__HOOKS__WALK__SCHEME", "github"),
    ("SOUK__HOOKS__WALK__SECRETS", crate::hooks::WALK_SECRET),
    ("SOUK__LIMITS__SEND_WEBHOOKS", "off"),
    ("SOUK__LIMITS__CALL_TOOLS", "off"),
    ("SOUK__LIMITS__ASK_MODELS", "off"),
    ("SOUK__WEBHOOKS__ENDPOINTS_MAX", "10000"),
    ("SOUK__IDENTITY__ARGON2_MEMORY_KIB", "64"),
    ("SOUK__IDENTITY__ARGON2_PASSES", "1"),
];

/// A running `souk serve`. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    process: Option<Child>,
    port: u16,
    settings: Vec<(String, String)>,
    database: Arc<Database>,
    folder: TempDir,
}

/// An account that the server printed at its first start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// `admin`, `seller` or `buyer`.
    pub role: String,
    /// Its address.
    pub email: String,
    /// Its one-time password.
    pub password: String,
}

impl Server {
    /// Starts on an empty database with the demo shop, without rate limits and with cheap passwords, and waits until it is ready.
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, &QUICK).await
    }

    /// Starts with these settings and nothing else from the environment.
    pub async fn start_with(database: Database, settings: &[(&str, &str)]) -> Self {
        let mut server = Self::not_started(database, settings);
        server.run().await;
        server
    }

    /// As [`Server::start`] with these settings besides, but without the start: for [`Server::command`] first, or alone.
    pub fn prepared(database: Database, settings: &[(&str, &str)]) -> Self {
        Self::not_started(database, &[&QUICK[..], settings].concat())
    }

    fn not_started(database: Database, settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (database, folder) = (Arc::new(database), tempfile::tempdir().unwrap());
        Self { process: None, port: 0, settings, database, folder }
    }

    /// Another node over the same database with the same settings, in a folder of its own, without the start. They must have
    /// been given a key.
    #[must_use = "it is not started"]
    pub fn beside(&self) -> Self {
        let (settings, database) = (self.settings.clone(), Arc::clone(&self.database));
        Self { process: None, port: 0, settings, database, folder: tempfile::tempdir().unwrap() }
    }

    /// The same with a setting changed, for its next start.
    #[must_use = "it is not started"]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts again after [`Server::stop`] or [`Server::kill`], on the same data.
    pub async fn run(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        for _ in 0..5 {
            self.port = free_port();
            self.process = Some(self.command(&["serve"]).spawn().expect("start souk"));
            if self.ready().await {
                return;
            }
            self.process = None;
        }
        panic!("souk did not start:\n{}", self.log());
    }

    /// Starts again on the port it had, where others look for it.
    pub async fn run_again(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        self.process = Some(self.command(&["serve"]).spawn().expect("start souk"));
        assert!(self.ready().await, "souk did not start again:\n{}", self.log());
    }

    /// A command line of the binary on the same data, settings and log.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let log = OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PORT", self.port.to_string())
            .envs(self.database.url().map(|url| ("DATABASE_URL", url)))
            .envs(
                self.database.redis().into_iter().flat_map(|redis| {
                    [("REDIS_URL", redis.url.clone()), ("SOUK__REDIS__PREFIX", redis.prefix.clone())]
                }),
            )
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        command
    }

    /// Runs a command line of the binary to its end and gives back what it printed on standard output.
    pub fn run_command(&self, arguments: &[&str]) -> (ExitStatus, String) {
        let done = self.command(arguments).stdout(Stdio::piped()).output().unwrap();
        (done.status, String::from_utf8(done.stdout).unwrap())
    }

    async fn ready(&mut self) -> bool {
        let client = self.client();
        let until = Instant::now() + START;
        while Instant::now() < until {
            if self.process.as_mut().is_none_or(|process| process.try_wait().unwrap().is_some()) {
                return false;
            }
            if client.reachable("/ready").await {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("souk was not ready within {START:?}:\n{}", self.log());
    }

    /// Asks it to end, as an operator does, without waiting.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Asks it to end, as somebody at a terminal does, without waiting.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Lets it stand still, as a machine does that swaps.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let process = self.process.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("sh").args(["-c", "kill -\"$1\" \"$0\"", &process, name]).status().unwrap();
        assert!(sent.success(), "kill -{name}");
    }

    /// Waits for its end and gives back how it ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let until = Instant::now() + END;
        while Instant::now() < until {
            if let Some(status) = self.process.as_mut().expect("it runs").try_wait().unwrap() {
                self.process = None;
                return status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("souk did not end within {END:?}:\n{}", self.log());
    }

    /// Asks it to end and waits.
    pub async fn stop(&mut self) -> ExitStatus {
        self.terminate();
        self.ended().await
    }

    /// Ends it as a power cut does: `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Its address, such as `http://127.0.0.1:3000`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Somebody without an account.
    pub fn client(&self) -> Client {
        Client::new(self.url())
    }

    /// The demo account with this role that was printed last, signed in.
    pub async fn signed_in(&self, role: &str) -> Client {
        let accounts = self.demo_accounts();
        let account = accounts.iter().rev().find(|account| account.role == role);
        let account = account.unwrap_or_else(|| panic!("no demo account {role}:\n{}", self.log()));
        self.client().sign_in(&account.email, &account.password).await
    }

    /// The accounts it printed: `demo account  <role>  <email>  <password>`.
    pub fn demo_accounts(&self) -> Vec<Demo> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| line.strip_prefix("demo account  "));
        lines
            .map(|line| {
                let fields: Vec<&str> = line.split("  ").collect();
                let [role, email, password] = fields[..] else { panic!("not three fields: {line:?}") };
                Demo { role: role.to_owned(), email: email.to_owned(), password: password.to_owned() }
            })
            .collect()
    }

    /// The tables it stands on, past Souk.
    pub fn tables(&self) -> Tables {
        match self.database.url() {
            None => Tables::Sqlite(self.folder.path().join("data/souk.db")),
            Some(url) => Tables::Postgres(url),
        }
    }

    /// Everything printed so far, by all its runs.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    /// Waits until everything committed so far has a number and was told to the listeners of this node.
    pub async fn settled(&self) {
        let (tables, client, until) = (self.tables(), self.client(), Instant::now() + START);
        while tables.pending() > 0 {
            assert!(Instant::now() < until, "events wait for their number:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let told = format!("feed_seq {}\n", tables.number("SELECT last_seq FROM event_cursor"));
        while !client.get("/metrics").await.text().contains(&told) {
            assert!(Instant::now() < until, "no {told}:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until it serves from the cache that it shares with other nodes; without Redis it shares none.
    pub async fn caching(&self) {
        let (client, until) = (self.client(), Instant::now() + START);
        while self.database.redis().is_some() && !client.get("/metrics").await.text().contains("\ncache_trusted 1\n") {
            assert!(Instant::now() < until, "it does not serve from the cache:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The folder it runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A new file in its folder.
    pub fn file(&self, name: &str) -> File {
        File::create(self.folder.path().join(name)).unwrap()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the server said:\n{}", self.log());
        }
    }
}

/// The binary: the one that `SOUK_BIN` names, or the one built beside this test.
fn binary() -> OsString {
    if let Some(named) = std::env::var_os("SOUK_BIN") {
        return named;
    }
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).expect("target/<profile>/deps/<test>").join("souk");
    assert!(built.exists(), "build the binary first: cargo build -p souk-app (scripts/test does)");
    built.into_os_string()
}
