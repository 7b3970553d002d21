//! Signatures, words and addresses that are easy to look at.

use std::fmt::Write as _;

use crate::{
    clock::{Entropy, Timestamp},
    error::Result,
    id::WebhookMessageId,
    relay::Numbered,
    webhooks::{Algorithm, EventType, Form, SecretText, Signer, Told, Wording, ports::Addresses},
};

/// Signs with the secret itself. Not for secrets.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainSigner;

impl Signer for PlainSigner {
    fn draw(&self, algorithm: Algorithm, entropy: &dyn Entropy) -> SecretText {
        let mut bytes = [0; 4];
        entropy.fill(&mut bytes);
        SecretText::new(format!("{}-{}", algorithm.name(), crate::secrets::hex(&bytes)))
    }

    fn shown(&self, secret: &SecretText) -> Result<SecretText> {
        Ok(secret.clone())
    }

    fn sign(&self, secrets: &[SecretText], id: WebhookMessageId, at: Timestamp, body: &str) -> Result<String> {
        let mut signed = String::new();
        for secret in secrets {
            let space = if signed.is_empty() { "" } else { " " };
            // Writing to a String cannot fail.
            let _ = write!(signed, "{space}{}.{id}.{}.{}", secret.expose(), at.timestamp(), body.len());
        }
        Ok(signed)
    }
}

/// Says the number of the event and the thing.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainWording;

impl Wording for PlainWording {
    fn data(&self, numbered: &Numbered, told: &Told, form: Form) -> Result<String> {
        let id = numbered.event.entity.id;
        Ok(format!(r#"{{"form":"{}","kind":"{}","id":"{id}"}}"#, form.name(), told.kind.name()))
    }

    fn example(&self, kind: EventType, form: Form) -> Result<String> {
        Ok(format!(r#"{{"form":"{}","kind":"{}"}}"#, form.name(), kind.name()))
    }
}

/// Takes every address of the web but those of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainAddresses;

impl Addresses for PlainAddresses {
    fn check(&self, url: &str) -> Result<(), &'static str> {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        match rest {
            None => Err("must begin with https:// or http://"),
            Some(rest) if rest.contains('@') => Err("must not hold a user name or a password"),
            Some(rest) if rest.starts_with("127.") => Err("must not lead inside"),
            Some("") => Err("must name a host"),
            Some(_) => Ok(()),
        }
    }
}
