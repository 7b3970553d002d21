//! The key pairs that sign tokens: Ed25519, kept sealed in the database.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    clock::{Entropy, Timestamp},
    error::{Error, Result},
    identity::ports::{KeyMaker, SealedKey, SigningKeys},
    secrets::Sealer,
};
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use jsonwebtoken::{
    Algorithm, EncodingKey,
    jwk::{Jwk, PublicKeyUse},
};

/// The kid of the first key. It is fixed, so that of two nodes that make the first key at once only one is kept.
const FIRST: &str = "1";
/// What stands before the 32 secret bytes in PKCS #8 (RFC 8410, section 7).
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// One key pair.
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    /// From when on it signs.
    pub(crate) from: Timestamp,
    pub(crate) private: EncodingKey,
    /// Unpacked once: jsonwebtoken does it again for each token, which takes a third as long as the signature itself.
    public: VerifyingKey,
    pub(crate) jwk: Jwk,
}

impl SigningKey {
    pub(crate) fn new(kid: &str, from: Timestamp, seed: &[u8; 32]) -> Result<Self> {
        let private = EncodingKey::from_ed_der(&[PKCS8.as_slice(), seed].concat());
        let mut jwk = Jwk::from_encoding_key(&private, Algorithm::EdDSA).map_err(Error::internal)?;
        jwk.common.key_id = Some(kid.to_owned());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let public = ed25519_dalek::SigningKey::from_bytes(seed).verifying_key();
        Ok(Self { kid: kid.to_owned(), from, private, public, jwk })
    }

    /// What this key signed of a token in compact form (RFC 7515): the bytes of its claims.
    pub(crate) fn signed(&self, token: &str) -> Option<Vec<u8>> {
        let (said, signature) = token.rsplit_once('.')?;
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        self.public.verify(said.as_bytes(), &signature).ok()?;
        URL_SAFE_NO_PAD.decode(said.split_once('.')?.1).ok()
    }

    fn open(stored: &SealedKey, sealer: &dyn Sealer) -> Result<Self> {
        let seed = sealer.open(&context(&stored.kid), &stored.sealed)?;
        let seed = seed.as_slice().try_into().map_err(Error::internal)?;
        Self::new(&stored.kid, stored.signs_from, seed)
    }
}

fn context(kid: &str) -> String {
    format!("signing_key/{kid}")
}

/// Makes the keys that come after the first.
pub struct NewKeys {
    sealer: Arc<dyn Sealer>,
    entropy: Arc<dyn Entropy>,
}

impl NewKeys {
    /// Keys sealed by this sealer.
    pub fn new(sealer: Arc<dyn Sealer>, entropy: Arc<dyn Entropy>) -> Self {
        Self { sealer, entropy }
    }
}

impl std::fmt::Debug for NewKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewKeys")
    }
}

impl KeyMaker for NewKeys {
    fn make(&self, kid: &str) -> Result<Vec<u8>> {
        seed(&*self.sealer, &*self.entropy, kid)
    }
}

fn seed(sealer: &dyn Sealer, entropy: &dyn Entropy, kid: &str) -> Result<Vec<u8>> {
    let mut seed = [0; 32];
    entropy.fill(&mut seed);
    sealer.seal(&context(kid), &seed)
}

/// Every stored key, in the order in which they sign; the first one is made when there is none.
pub(crate) async fn load(
    keys: &dyn SigningKeys,
    sealer: &dyn Sealer,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Vec<SigningKey>> {
    let mut stored = keys.all().await?;
    if stored.is_empty() {
        let made = seed(sealer, entropy, FIRST)?;
        let first = SealedKey { kid: FIRST.to_owned(), sealed: made, created_at: now, signs_from: now };
        keys.insert_if_absent(&first).await?;
        // Read back: another node may have been first.
        stored = keys.all().await?;
    }
    stored.iter().map(|key| SigningKey::open(key, sealer)).collect()
}
