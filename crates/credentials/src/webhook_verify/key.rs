//! One secret, and whether it made a signature.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::{BadSource, Hash};

/// What a signature is made with.
pub(super) enum Key {
    Sha1(Box<Hmac<Sha1>>),
    Sha256(Box<Hmac<Sha256>>),
    Sha512(Box<Hmac<Sha512>>),
    /// The public half of a pair.
    Ed25519(Box<DecodingKey>),
}

/// A signature as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signature {
    Keyed(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Key {
    pub(super) fn keyed(hash: Hash, secret: &[u8]) -> Result<Self, BadSource> {
        let bad = |_| BadSource::Secret;
        Ok(match hash {
            Hash::Sha1 => Self::Sha1(Box::new(Hmac::new_from_slice(secret).map_err(bad)?)),
            Hash::Sha256 => Self::Sha256(Box::new(Hmac::new_from_slice(secret).map_err(bad)?)),
            Hash::Sha512 => Self::Sha512(Box::new(Hmac::new_from_slice(secret).map_err(bad)?)),
        })
    }

    pub(super) fn ed25519(public: &[u8]) -> Result<Self, BadSource> {
        if public.len() != 32 {
            return Err(BadSource::Secret);
        }
        let key = DecodingKey::from_ed_components(&URL_SAFE_NO_PAD.encode(public)).map_err(|_| BadSource::Secret)?;
        Ok(Self::Ed25519(Box::new(key)))
    }

    /// Whether it made one of these over the parts in a row. The parts are hashed once; all are compared, in constant time.
    pub(super) fn made_any(&self, signatures: &[Signature], parts: &[&[u8]]) -> bool {
        match self {
            Self::Sha1(key) => compare(&**key, signatures, parts),
            Self::Sha256(key) => compare(&**key, signatures, parts),
            Self::Sha512(key) => compare(&**key, signatures, parts),
            Self::Ed25519(key) => {
                let mut made = false;
                let whole = parts.concat();
                for signature in signatures {
                    if let Signature::Ed25519(bytes) = signature {
                        let text = URL_SAFE_NO_PAD.encode(bytes);
                        made |= jsonwebtoken::crypto::verify(&text, &whole, key, Algorithm::EdDSA).unwrap_or(false);
                    }
                }
                made
            }
        }
    }
}

fn compare<M: Mac + Clone>(key: &M, signatures: &[Signature], parts: &[&[u8]]) -> bool {
    let hashed = parts.iter().fold(key.clone(), Mac::chain_update);
    let mut made = false;
    for signature in signatures {
        if let Signature::Keyed(bytes) = signature {
            made |= hashed.clone().verify_slice(bytes).is_ok();
        }
    }
    made
}
