//! Signatures of webhooks that go out, by Standard Webhooks: `v1` (HMAC-SHA256) and `v1a` (Ed25519) over
//! `{webhook-id}.{webhook-timestamp}.{body}`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    Error, Result,
    clock::{Entropy, Timestamp},
    id::WebhookMessageId,
    webhooks::{Algorithm, Message, SecretText, Signer},
};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;

/// What a secret of HMAC begins with; Base64 follows.
const HMAC: &str = "whsec_";
/// What the secret half of a pair begins with.
const PRIVATE: &str = "whsk_";
/// And the public half.
const PUBLIC: &str = "whpk_";
/// Bytes of a secret: Standard Webhooks asks for 24 to 64.
const SECRET: usize = 32;

/// Makes secrets and signs with them.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebhookSigner;

/// A secret, read.
enum Key {
    Hmac(Box<Hmac<Sha256>>),
    Ed25519(Box<SigningKey>),
}

impl Key {
    fn read(secret: &SecretText) -> Result<Self> {
        let text = secret.expose();
        let unreadable = || Error::internal("a secret of a webhook cannot be read");
        let bytes = |text: &str| STANDARD.decode(text).map_err(|_| unreadable());
        if let Some(text) = text.strip_prefix(HMAC) {
            return Hmac::new_from_slice(&bytes(text)?).map(|key| Self::Hmac(Box::new(key))).map_err(Error::internal);
        }
        let seed = bytes(text.strip_prefix(PRIVATE).ok_or_else(unreadable)?)?;
        // Others keep both halves in one text, the secret one first.
        let (seed, _) = seed.split_first_chunk::<SECRET>().ok_or_else(unreadable)?;
        Ok(Self::Ed25519(Box::new(SigningKey::from_bytes(seed))))
    }

    fn sign(&self, signed: &str) -> String {
        match self {
            Self::Hmac(key) => {
                let made = (**key).clone().chain_update(signed.as_bytes()).finalize().into_bytes();
                format!("v1,{}", STANDARD.encode(made))
            }
            Self::Ed25519(key) => format!("v1a,{}", STANDARD.encode(key.sign(signed.as_bytes()).to_bytes())),
        }
    }
}

impl Signer for WebhookSigner {
    fn draw(&self, algorithm: Algorithm, entropy: &dyn Entropy) -> SecretText {
        let mut bytes = [0; SECRET];
        entropy.fill(&mut bytes);
        let prefix = match algorithm {
            Algorithm::Hmac => HMAC,
            Algorithm::Ed25519 => PRIVATE,
        };
        SecretText::new(format!("{prefix}{}", STANDARD.encode(bytes)))
    }

    fn shown(&self, secret: &SecretText) -> Result<SecretText> {
        Ok(match Key::read(secret)? {
            Key::Hmac(_) => secret.clone(),
            Key::Ed25519(key) => {
                SecretText::new(format!("{PUBLIC}{}", STANDARD.encode(key.verifying_key().to_bytes())))
            }
        })
    }

    fn sign(&self, secrets: &[SecretText], id: WebhookMessageId, at: Timestamp, body: &str) -> Result<String> {
        let signed = format!("{}.{}.{body}", Message::webhook_id(id), at.timestamp());
        let signatures = secrets.iter().map(|secret| Ok(Key::read(secret)?.sign(&signed)));
        Ok(signatures.collect::<Result<Vec<_>>>()?.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
    use uuid::Uuid;

    use super::*;
    use crate::mac::tests::Counting;

    const BODY: &str = r#"{"test": 2432232314}"#;

    fn signed(secret: &str, id: &str, at: i64) -> String {
        let key = Key::read(&SecretText::new(secret.to_owned())).unwrap();
        key.sign(&format!("{id}.{at}.{BODY}"))
    }

    /// The vector that the libraries of Standard Webhooks are tested with.
    #[test]
    fn the_vector_of_the_specification_is_met() {
        let made = signed("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330);
        assert_eq!(made, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_secret_signs_in_turn_and_each_in_its_way() {
        let entropy = Counting::default();
        let signer = WebhookSigner;
        let (hmac, pair) = (signer.draw(Algorithm::Hmac, &entropy), signer.draw(Algorithm::Ed25519, &entropy));
        assert!(hmac.expose().starts_with("whsec_") && pair.expose().starts_with("whsk_"));
        assert_eq!(signer.shown(&hmac).unwrap(), hmac);
        let id = WebhookMessageId(Uuid::from_u128(7));
        let at = Timestamp::UNIX_EPOCH + std::time::Duration::from_millis(1_700_000_000_900);
        let value = signer.sign(&[pair.clone(), hmac.clone()], id, at, BODY).unwrap();
        let (first, second) = value.split_once(' ').unwrap();
        assert_eq!(second, signed(hmac.expose(), "msg_00000000000000000000000000000007", 1_700_000_000));
        let public = signer.shown(&pair).unwrap();
        let public = STANDARD.decode(public.expose().strip_prefix("whpk_").unwrap()).unwrap();
        let signature = STANDARD.decode(first.strip_prefix("v1a,").unwrap()).unwrap();
        let content = format!("msg_00000000000000000000000000000007.1700000000.{BODY}");
        let key = VerifyingKey::from_bytes(&public.try_into().unwrap()).unwrap();
        key.verify(content.as_bytes(), &Signature::from_slice(&signature).unwrap()).unwrap();
        assert!(signer.sign(&[SecretText::new("whpk_AAAA".to_owned())], id, at, BODY).is_err());
        assert_eq!(signer.sign(&[], id, at, BODY).unwrap(), "");
    }
}
