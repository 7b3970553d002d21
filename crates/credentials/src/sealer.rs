//! Sealing: XChaCha20-Poly1305 under a key of its own for every context.

use std::sync::Arc;

use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use domain::{
    clock::Entropy,
    error::{Error, Result},
    secrets::Sealer,
};

use crate::MasterKey;

/// The first byte of everything sealed, so that another form can be told apart later.
const FORM: u8 = 1;
/// Bytes of the nonce; long enough to be drawn at random for ever.
const NONCE: usize = 24;

/// Seals under keys derived from the master key: `form (1) | nonce (24) | ciphertext and tag`.
pub struct Seal {
    master: MasterKey,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(..)")
    }
}

impl Seal {
    /// Seals under this master key.
    pub fn new(master: MasterKey, entropy: Arc<dyn Entropy>) -> Self {
        Self { master, entropy }
    }

    fn cipher(&self, context: &str) -> Result<XChaCha20Poly1305> {
        let key = self.master.derive(&format!("seal/{context}"))?;
        Ok(XChaCha20Poly1305::new(&Key::from(key)))
    }
}

impl Sealer for Seal {
    fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE];
        self.entropy.fill(&mut nonce);
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let text = self.cipher(context)?.encrypt(&XNonce::from(nonce), payload).map_err(|_| fault("seal"))?;
        let mut sealed = Vec::with_capacity(1 + NONCE + text.len());
        sealed.push(FORM);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let Some((&FORM, rest)) = sealed.split_first() else { return Err(fault("open")) };
        let Some((nonce, text)) = rest.split_first_chunk::<NONCE>() else { return Err(fault("open")) };
        let payload = Payload { msg: text, aad: context.as_bytes() };
        self.cipher(context)?.decrypt(&XNonce::from(*nonce), payload).map_err(|_| fault("open"))
    }
}

fn fault(what: &str) -> Error {
    Error::internal(format!("cannot {what} a secret: it was changed, or SOUK_SECRET_KEY is another than before"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mac::tests::{Counting, master};

    fn seal() -> Seal {
        Seal::new(master(), Arc::new(Counting::default()))
    }

    #[test]
    fn what_is_sealed_opens_in_its_context_only() {
        let seal = seal();
        let sealed = seal.seal("signing_key/1", b"seed").unwrap();
        assert_eq!(seal.open("signing_key/1", &sealed).unwrap(), b"seed");
        assert!(seal.open("signing_key/2", &sealed).is_err());
        assert!(!sealed.windows(4).any(|part| part == b"seed"));
        assert_ne!(sealed, seal.seal("signing_key/1", b"seed").unwrap());
    }

    #[test]
    fn any_changed_or_missing_byte_is_refused() {
        let seal = seal();
        let sealed = seal.seal("c", b"seed").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.open("c", &changed).is_err(), "byte {at}");
            assert!(seal.open("c", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn another_master_key_opens_nothing() {
        let sealed = seal().seal("c", b"seed").unwrap();
        let other = MasterKey::parse("Zt9LbR4nWc8KdY3sHf6JuT5egXq7vP2m").unwrap();
        assert!(Seal::new(other, Arc::new(Counting::default())).open("c", &sealed).is_err());
    }
}
