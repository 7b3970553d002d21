//! An issuer that listens on this machine, and says what a test tells it to.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Heard {
    pub head: String,
    pub body: String,
}

impl Heard {
    /// A field of a posted form.
    pub fn field(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.into_owned())
    }
}

#[derive(Default)]
struct State {
    /// What is answered at a path: status, headers, body.
    answers: HashMap<String, (u16, String, String)>,
    heard: Vec<(String, Heard)>,
}

/// The issuer.
#[derive(Clone)]
pub struct Peer {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Peer {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::<Mutex<State>>::default();
        let served = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let served = Arc::clone(&served);
                std::thread::spawn(move || serve(stream, &served));
            }
        });
        let peer = Self { url, state };
        peer.say(
            "/.well-known/openid-configuration",
            &json!({
                "issuer": peer.url,
                "authorization_endpoint": format!("{}/authorize", peer.url),
                "token_endpoint": format!("{}/token", peer.url),
                "userinfo_endpoint": format!("{}/userinfo", peer.url),
                "jwks_uri": format!("{}/keys", peer.url),
            }),
        );
        peer
    }

    /// An issuer with these keys.
    pub fn with_keys(keys: &[&Signer]) -> Self {
        let peer = Self::start();
        peer.publish(keys, "max-age=600");
        peer
    }

    pub fn publish(&self, keys: &[&Signer], cache: &str) {
        let keys: Vec<&Value> = keys.iter().map(|key| &key.jwk).collect();
        let headers = format!("Cache-Control: {cache}\r\n");
        self.answer("/keys", 200, &headers, &json!({ "keys": keys }).to_string());
    }

    /// Answers with this from now on.
    pub fn say(&self, path: &str, body: &Value) {
        self.answer(path, 200, "", &body.to_string());
    }

    pub fn answer(&self, path: &str, status: u16, headers: &str, body: &str) {
        let answer = (status, headers.to_owned(), body.to_owned());
        self.state.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    /// What came at a path.
    pub fn heard(&self, path: &str) -> Vec<Heard> {
        let state = self.state.lock().unwrap();
        state.heard.iter().filter(|(at, _)| at == path).map(|(_, heard)| heard.clone()).collect()
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let head: Vec<String> =
            reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let Some(path) = head.first().and_then(|line| line.split(' ').nth(1)).map(str::to_owned) else { return };
        let length =
            head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let request = Heard { head: head.join("\n"), body: String::from_utf8(body).unwrap() };
        let answer = {
            let mut state = state.lock().unwrap();
            state.heard.push((path.clone(), request));
            state.answers.get(&path).cloned()
        };
        let (status, headers, body) = answer.unwrap_or((404, String::new(), String::new()));
        let length = body.len();
        let written = write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        if written.is_err() {
            return;
        }
    }
}

/// A key of an issuer.
pub struct Signer {
    pub name: String,
    pub jwk: Value,
    pub private: EncodingKey,
    pub algorithm: Algorithm,
}

/// Made for these tests, and used nowhere else.
const RSA: &str = include_str!("rsa.pem");

impl Signer {
    pub fn rsa(name: &str) -> Self {
        Self::new(name, EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap(), Algorithm::RS256)
    }

    pub fn ed(name: &str) -> Self {
        let mut der = hex("302e020100300506032b657004220420");
        der.extend([name.len() as u8 + name.as_bytes()[0]; 32]);
        Self::new(name, EncodingKey::from_ed_der(&der), Algorithm::EdDSA)
    }

    pub fn ec(name: &str) -> Self {
        let (der, _) = p256();
        Self::new(name, EncodingKey::from_ec_der(&der), Algorithm::ES256)
    }

    fn new(name: &str, private: EncodingKey, algorithm: Algorithm) -> Self {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&private, algorithm).unwrap()).unwrap();
        jwk["kid"] = json!(name);
        jwk["use"] = json!("sig");
        Self { name: name.to_owned(), jwk, private, algorithm }
    }

    /// A token that says this.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(claims, |_| {})
    }

    pub fn sign_with(&self, claims: &Value, change: impl FnOnce(&mut Header)) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.name.clone());
        change(&mut header);
        jsonwebtoken::encode(&header, claims, &self.private).unwrap()
    }
}

/// A key for ES256 in PKCS #8, as bytes and in PEM.
pub fn p256() -> (Vec<u8>, String) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let mut der = hex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420");
    der.extend([0x17; 32]);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&der));
    (der, pem)
}

fn hex(text: &str) -> Vec<u8> {
    domain::secrets::unhex(text).unwrap()
}
