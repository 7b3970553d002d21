//! The public keys of an issuer, each with the algorithms it is for.

use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// Most keys that are read of one set.
const MOST: usize = 100;
/// The fewest characters of an RSA modulus: 2048 bits in base64.
const LEAST_MODULUS: usize = 342;
/// The longest name of a key.
const LONGEST_NAME: usize = 256;

/// A key.
pub(super) struct Key {
    name: Option<String>,
    algorithms: Vec<Algorithm>,
    pub(super) public: DecodingKey,
}

/// The keys of an issuer.
pub(super) struct KeySet(Vec<Key>);

impl KeySet {
    /// Reads a JSON Web Key Set (RFC 7517). What is no public key for signatures of a kind we know is passed over.
    pub(super) fn read(set: &Value) -> Option<Self> {
        let keys: Vec<Key> = set.get("keys")?.as_array()?.iter().take(MOST).filter_map(Key::read).collect();
        Some(Self(keys)).filter(|set| !set.0.is_empty())
    }

    /// The key of this name that is for this algorithm. Without a name, the only one that is.
    pub(super) fn find(&self, name: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let mut fitting = self.0.iter().filter(|key| key.algorithms.contains(&algorithm));
        match name {
            Some(name) => fitting.find(|key| key.name.as_deref() == Some(name)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

impl Key {
    fn read(jwk: &Value) -> Option<Self> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let for_signatures = text("use").is_none_or(|usage| usage == "sig");
        let may_verify = jwk.get("key_ops").and_then(Value::as_array);
        let may_verify = may_verify.is_none_or(|all| all.iter().any(|one| one == "verify"));
        if !for_signatures || !may_verify {
            return None;
        }
        let (public, mut algorithms) = match (text("kty")?, text("crv")) {
            ("RSA", _) => {
                let modulus = text("n").filter(|modulus| modulus.len() >= LEAST_MODULUS)?;
                let all = [
                    Algorithm::RS256,
                    Algorithm::RS384,
                    Algorithm::RS512,
                    Algorithm::PS256,
                    Algorithm::PS384,
                    Algorithm::PS512,
                ];
                (DecodingKey::from_rsa_components(modulus, text("e")?), all.to_vec())
            }
            ("EC", Some("P-256")) => (DecodingKey::from_ec_components(text("x")?, text("y")?), vec![Algorithm::ES256]),
            ("EC", Some("P-384")) => (DecodingKey::from_ec_components(text("x")?, text("y")?), vec![Algorithm::ES384]),
            ("OKP", Some("Ed25519")) => (DecodingKey::from_ed_components(text("x")?), vec![Algorithm::EdDSA]),
            _ => return None,
        };
        if let Some(said) = text("alg") {
            // RFC 9864 calls it by the curve.
            let said = if said == "Ed25519" { "EdDSA" } else { said };
            algorithms.retain(|one| said.parse() == Ok(*one));
        }
        let name = text("kid").filter(|name| name.len() <= LONGEST_NAME).map(str::to_owned);
        Some(Self { name, algorithms, public: public.ok()? }).filter(|key| !key.algorithms.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ed(with: &[(&str, Value)]) -> Value {
        let mut key =
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        for (name, value) in with {
            key[*name] = value.clone();
        }
        key
    }

    fn found(keys: &[Value], name: Option<&str>, algorithm: Algorithm) -> bool {
        KeySet::read(&json!({ "keys": keys })).is_some_and(|set| set.find(name, algorithm).is_some())
    }

    #[test]
    fn a_key_is_for_what_it_says_and_no_more() {
        let eddsa = Algorithm::EdDSA;
        assert!(found(&[ed(&[])], Some("a"), eddsa));
        assert!(found(&[ed(&[("use", json!("sig")), ("alg", json!("EdDSA"))])], Some("a"), eddsa));
        assert!(found(&[ed(&[("alg", json!("Ed25519"))])], Some("a"), eddsa));
        assert!(!found(&[ed(&[])], Some("b"), eddsa));
        for other in [
            ("use", json!("enc")),
            ("key_ops", json!(["sign"])),
            ("alg", json!("ES256")),
            ("alg", json!("HS256")),
            ("crv", json!("X25519")),
            ("kty", json!("oct")),
            ("x", json!("!")),
        ] {
            assert!(!found(&[ed(std::slice::from_ref(&other))], Some("a"), eddsa), "{other:?}");
        }
        for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::HS256] {
            assert!(!found(&[ed(&[])], Some("a"), algorithm));
        }
    }

    #[test]
    fn without_a_name_it_must_be_the_only_one() {
        assert!(found(&[ed(&[])], None, Algorithm::EdDSA));
        assert!(!found(&[ed(&[]), ed(&[("kid", json!("b"))])], None, Algorithm::EdDSA));
    }

    #[test]
    fn short_keys_are_none() {
        let rsa = |length: usize| json!({ "kty": "RSA", "kid": "a", "e": "AQAB", "n": format!("{}A", "v".repeat(length - 1)) });
        assert!(found(&[rsa(342)], Some("a"), Algorithm::RS256));
        assert!(!found(&[rsa(171)], Some("a"), Algorithm::RS256));
    }
}
