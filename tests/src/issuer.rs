//! An issuer that is not ours: `oauth2-mock-server`, started by Node.js.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};

/// The issuer. Dropping it ends it.
#[derive(Debug)]
pub struct Issuer {
    /// What it calls itself.
    pub url: String,
    process: Child,
    talk: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Issuer {
    /// Starts one.
    pub fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("issuer");
        let mut process = Command::new("node")
            .arg("issuer.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js and the packages of tests/issuer; scripts/test installs both");
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut output = BufReader::new(output);
        let mut url = String::new();
        output.read_line(&mut url).unwrap();
        assert!(url.starts_with("http://"), "the issuer did not start; run scripts/test once: {url:?}");
        Self { url: url.trim().to_owned(), process, talk: Mutex::new((input, output)) }
    }

    /// Says this of whoever signs in from now on.
    pub fn vouches(&self, claims: &Value) {
        self.tell(&json!({ "identity": claims }));
    }

    fn tell(&self, what: &Value) {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(talk.0, "{what}").unwrap();
        let mut done = String::new();
        talk.1.read_line(&mut done).unwrap();
        assert_eq!(done.trim(), "ok");
    }

    /// An access token that says this.
    pub async fn token(&self, claims: &Value) -> String {
        self.tell(&json!({ "access": claims }));
        let client = crate::Client::new(self.url.clone());
        let form = "grant_type=client_credentials&scope=any";
        let request = client.request("POST", "/token").header("Content-Type", "application/x-www-form-urlencoded");
        let answer = client.send(request.body(form)).await.expect(200).json();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Sends a browser to its page, and gives where that sends it.
    pub async fn visit(&self, address: &str) -> String {
        let path = address.strip_prefix(&self.url).expect("the address is the issuer's");
        let client = crate::Client::new(self.url.clone());
        let answer = client.get(path).await.expect(302);
        answer.header("location").to_owned()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
