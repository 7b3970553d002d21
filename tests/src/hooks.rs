//! Senders of webhooks, signing as their own libraries do.

use std::{
    fmt::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::RequestBuilder;
use ring::{
    hmac::{HMAC_SHA256, Key, sign},
    signature::Ed25519KeyPair,
};
use serde_json::Value;

use crate::{Client, Reply};

/// What every server of the tests lets sign as `walk`, by the scheme of GitHub.
pub const WALK_SECRET: &str = "walk-with-me-and-with-nobody";
/// Secrets of senders, for settings.
pub const CLERK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The public half of the pair that [`by_pair`] signs with, for settings.
pub const PUBLIC_KEY: &str = "whpk_/RckOFqgx1tk+3jNYC+h2ZH96/drE8WO1wLqyDXp9hg=";

/// Seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

fn mac(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA256, secret), &parts.concat()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Headers of Standard Webhooks, under the names that Svix and Clerk give them.
pub fn standard(secret: &str, id: &str, at: i64, body: &[u8]) -> Vec<(&'static str, String)> {
    let key = BASE64_STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let signature = BASE64_STANDARD.encode(mac(&key, &[format!("{id}.{at}.").as_bytes(), body]));
    vec![("svix-id", id.to_owned()), ("svix-timestamp", at.to_string()), ("svix-signature", format!("v1,{signature}"))]
}

/// Headers of Standard Webhooks, signed by a pair of keys.
pub fn by_pair(id: &str, at: i64, body: &[u8]) -> Vec<(&'static str, String)> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let signed = [format!("{id}.{at}.").as_bytes(), body].concat();
    let signature = BASE64_STANDARD.encode(pair.sign(&signed));
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at.to_string()),
        ("webhook-signature", format!("v1a,{signature}")),
    ]
}

/// The header of Stripe.
pub fn stripe(secret: &str, at: i64, body: &[u8]) -> Vec<(&'static str, String)> {
    let signature = hex(&mac(secret.as_bytes(), &[format!("{at}.").as_bytes(), body]));
    vec![("stripe-signature", format!("t={at},v1={signature}"))]
}

/// Headers of GitHub.
pub fn github(secret: &str, delivery: &str, body: &[u8]) -> Vec<(&'static str, String)> {
    let signature = format!("sha256={}", hex(&mac(secret.as_bytes(), &[body])));
    vec![
        ("x-hub-signature-256", signature),
        ("x-github-delivery", delivery.to_owned()),
        ("x-github-event", "push".to_owned()),
    ]
}

/// The header `x-signature` of a scheme of somebody's own: base64 over moment and body.
pub fn own(secret: &str, at: i64, body: &[u8]) -> Vec<(&'static str, String)> {
    let signature = BASE64_STANDARD.encode(mac(secret.as_bytes(), &[at.to_string().as_bytes(), b":", body]));
    vec![("x-signature", format!("v0={signature}")), ("x-moment", at.to_string())]
}

impl Client {
    /// A webhook of this source with these headers.
    pub fn hook(&self, source: &str, headers: &[(&'static str, String)], body: &[u8]) -> RequestBuilder {
        let request = self.anonymous().request("POST", &format!("/api/v1/hooks/{source}"));
        let request = request.header("content-type", "application/json").body(body.to_vec());
        headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    /// Sends a webhook of `walk`.
    pub async fn walk(&self, body: &Value) -> Reply {
        let body = body.to_string();
        self.send(self.hook("walk", &github(WALK_SECRET, "1", body.as_bytes()), body.as_bytes())).await
    }
}
