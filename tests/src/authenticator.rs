//! What a phone does, in software: passkeys by ES256 without attestation, and the codes of an authenticator app.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::{
    digest, hmac,
    rand::{SecureRandom as _, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};

/// The person is there.
const PRESENT: u8 = 0x01;
/// The authenticator knows who they are.
const VERIFIED: u8 = 0x04;
/// A key follows.
const KEY: u8 = 0x40;

/// An authenticator with one passkey, as a page of one origin uses it.
#[derive(Debug)]
pub struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    user: String,
    domain: String,
    /// Whose page uses it.
    pub origin: String,
    /// How often it was used.
    pub count: u32,
    /// Whether it asks for finger, face or PIN.
    pub verifies: bool,
}

impl Authenticator {
    /// Makes a passkey by these options, and the answer to them.
    pub fn register(options: &Value, origin: &str) -> (Self, Value) {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random).unwrap();
        let mut id = vec![0; 32];
        random.fill(&mut id).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (user, domain) = (text(&options["user"]["id"]), text(&options["rp"]["id"]));
        let made = Self { key, id, user, domain, origin: origin.to_owned(), count: 1, verifies: true };
        let answer = made.attest(options);
        (made, answer)
    }

    /// The answer to the options of a registration.
    pub fn attest(&self, options: &Value) -> Value {
        let client = self.client("webauthn.create", options);
        let point = self.key.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..65]);
        // A COSE key: EC2, ES256, P-256, x, y.
        let cose = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32], x, &[0x22, 0x58, 32], y].concat();
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let data = [&self.data(KEY)[..], &[0; 16], &length, &self.id, &cose].concat();
        let size = u8::try_from(data.len()).unwrap();
        let attestation = [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58", &[size][..], &data].concat();
        let response = json!({ "clientDataJSON": client, "attestationObject": BASE64.encode(attestation), "transports": ["internal"] });
        self.credential(response)
    }

    /// The answer to the options of a sign-in; it counts as a use.
    pub fn assert(&mut self, options: &Value) -> Value {
        self.count += 1;
        let (client, data) = (self.client("webauthn.get", options), self.data(0));
        let signed = [&data[..], digest::digest(&digest::SHA256, &BASE64.decode(&client).unwrap()).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let response = json!({
            "clientDataJSON": client,
            "authenticatorData": BASE64.encode(data),
            "signature": BASE64.encode(signature),
            "userHandle": self.user,
        });
        self.credential(response)
    }

    fn client(&self, kind: &str, options: &Value) -> String {
        let client =
            json!({ "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false });
        BASE64.encode(client.to_string())
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let domain = digest::digest(&digest::SHA256, self.domain.as_bytes());
        let flags = PRESENT | flags | if self.verifies { VERIFIED } else { 0 };
        [domain.as_ref(), &[flags], &self.count.to_be_bytes()].concat()
    }

    #[expect(clippy::needless_pass_by_value, reason = "it goes into the answer")]
    fn credential(&self, response: Value) -> Value {
        let id = BASE64.encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {} })
    }
}

/// The code that an app with this Base32 secret shows now.
pub fn totp(secret: &str) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut key = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for letter in secret.chars() {
        held = held << 5 | u32::try_from(LETTERS.find(letter).unwrap()).unwrap();
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            key.push(u8::try_from(held >> bits & 0xff).unwrap());
        }
    }
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let counter = since.as_secs() / 30;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 0xf);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}
