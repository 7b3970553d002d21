//! Access tokens: JWT signed with Ed25519, so that other services verify them from the JWKS without a call.

use std::time::Duration;

use domain::{
    clock::{Entropy, Timestamp},
    error::{Error, Result},
    id::UserId,
    identity::{
        Profile,
        ports::{AccessToken, Session, SigningKeys, Tokens},
    },
    secrets::Sealer,
};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::signing_key::{self, SigningKey};

/// How far the clocks of two nodes may differ, in seconds.
const SKEW: i64 = 5;

/// What every token of an installation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// Who made it: the installation's public address.
    pub issuer: String,
    /// For whom.
    pub audience: String,
    /// How long it lives.
    pub lifetime: Duration,
}

/// Makes and reads tokens; signs with the newest key, verifies with any.
pub struct EdDsaTokens {
    keys: Vec<SigningKey>,
    rules: TokenRules,
    validation: Validation,
}

impl std::fmt::Debug for EdDsaTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EdDsaTokens").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// The claims. Roles and seller are for other services to read; this one asks the database on every request, so that
/// a lost role or a ban counts at once.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    #[serde(default)]
    roles: Value,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    seller: Value,
}

impl EdDsaTokens {
    /// Loads the keys, or makes the first one.
    ///
    /// # Errors
    /// [`Error::Internal`] when a stored key does not open: the master key is another than before.
    pub async fn load(
        keys: &dyn SigningKeys,
        sealer: &dyn Sealer,
        entropy: &dyn Entropy,
        now: Timestamp,
        rules: TokenRules,
    ) -> Result<Self> {
        Ok(Self::new(signing_key::load(keys, sealer, entropy, now).await?, rules))
    }

    fn new(keys: Vec<SigningKey>, rules: TokenRules) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&rules.issuer]);
        validation.set_audience(&[&rules.audience]);
        validation.set_required_spec_claims(&["sub", "iss", "aud", "exp"]);
        // The library would ask the system's clock; `verify` compares with the moment it is given.
        validation.validate_exp = false;
        Self { keys, rules, validation }
    }

    /// The public keys as a JSON Web Key Set (RFC 7517).
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.keys.iter().map(|key| &key.jwk).collect::<Vec<_>>() })
    }
}

impl Tokens for EdDsaTokens {
    fn issue(&self, profile: &Profile, now: Timestamp) -> Result<AccessToken> {
        let key = self.keys.last().ok_or_else(|| Error::internal("no key to sign with"))?;
        let iat = now.timestamp();
        let lifetime = i64::try_from(self.rules.lifetime.as_secs()).map_err(Error::internal)?;
        let exp = iat.saturating_add(lifetime);
        let claims = Claims {
            sub: profile.user.id,
            iss: self.rules.issuer.clone(),
            aud: self.rules.audience.clone(),
            iat,
            exp,
            roles: json!(profile.user.roles),
            seller: json!(profile.seller),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.kid.clone());
        let token = jsonwebtoken::encode(&header, &claims, &key.private).map_err(Error::internal)?;
        let expires_at =
            Timestamp::from_timestamp(exp, 0).ok_or_else(|| Error::internal("a token's end is out of range"))?;
        Ok(AccessToken { token, expires_at })
    }

    fn verify(&self, token: &str, now: Timestamp) -> Option<Session> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.keys.iter().find(|key| key.kid == kid)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.public, &self.validation).ok()?.claims;
        let until = Timestamp::from_timestamp(claims.exp, 0)?;
        let now = now.timestamp();
        let holds = now < claims.exp.saturating_add(SKEW) && claims.iat <= now.saturating_add(SKEW);
        holds.then_some(Session { user: claims.sub, until })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use chrono::TimeDelta;
    use domain::{
        identity::{Email, User, ports::SealedKey},
        permission::{Role, Roles},
    };
    use jsonwebtoken::EncodingKey;

    use super::*;
    use crate::{
        Seal,
        mac::tests::{Counting, master},
    };

    #[derive(Default)]
    struct Kept(Mutex<Vec<SealedKey>>);

    #[async_trait]
    impl SigningKeys for Kept {
        async fn all(&self) -> Result<Vec<SealedKey>> {
            Ok(self.0.lock().unwrap().clone())
        }

        async fn insert_if_absent(&self, key: &SealedKey) -> Result<()> {
            let mut keys = self.0.lock().unwrap();
            if !keys.iter().any(|kept| kept.kid == key.kid) {
                keys.push(key.clone());
            }
            Ok(())
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn after(seconds: i64) -> Timestamp {
        now() + TimeDelta::seconds(seconds)
    }

    fn rules() -> TokenRules {
        TokenRules { issuer: "https://shop.example".into(), audience: "souk".into(), lifetime: Duration::from_mins(15) }
    }

    fn tokens(seed: u8, rules: TokenRules) -> EdDsaTokens {
        EdDsaTokens::new(vec![SigningKey::new("1", &[seed; 32]).unwrap()], rules)
    }

    fn profile() -> Profile {
        let user = User {
            id: UserId(uuid::Uuid::from_u128(7)),
            email: Email::parse("ada@example.com").unwrap(),
            name: "Ada".into(),
            email_verified_at: None,
            roles: Roles::new([Role::User, Role::Seller]),
            created_at: now(),
            updated_at: now(),
        };
        Profile { user, seller: None }
    }

    fn part(token: &str, at: usize) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn a_token_says_who_and_until_when() {
        let issued = tokens(1, rules()).issue(&profile(), now()).unwrap();
        assert_eq!(part(&issued.token, 0), json!({ "typ": "JWT", "alg": "EdDSA", "kid": "1" }));
        assert_eq!(
            part(&issued.token, 1),
            json!({
                "sub": profile().user.id, "iss": "https://shop.example", "aud": "souk",
                "iat": 1_790_000_000, "exp": 1_790_000_900, "roles": ["user", "seller"]
            })
        );
        assert_eq!(issued.expires_at, after(900));
        let session = Session { user: profile().user.id, until: issued.expires_at };
        assert_eq!(tokens(1, rules()).verify(&issued.token, now()), Some(session));
    }

    #[test]
    fn a_token_ends_and_does_not_come_from_the_future() {
        let tokens = tokens(1, rules());
        let token = tokens.issue(&profile(), now()).unwrap().token;
        assert!(tokens.verify(&token, after(904)).is_some());
        assert!(tokens.verify(&token, after(905)).is_none());
        assert!(tokens.verify(&token, after(-5)).is_some());
        assert!(tokens.verify(&token, after(-6)).is_none());
    }

    #[test]
    fn other_keys_issuers_and_audiences_are_refused() {
        let ours = tokens(1, rules());
        let strangers = [
            tokens(2, rules()),
            tokens(1, TokenRules { issuer: "https://other.example".into(), ..rules() }),
            tokens(1, TokenRules { audience: "other".into(), ..rules() }),
            EdDsaTokens::new(vec![SigningKey::new("2", &[1; 32]).unwrap()], rules()),
        ];
        for stranger in strangers {
            let token = stranger.issue(&profile(), now()).unwrap().token;
            assert!(stranger.verify(&token, now()).is_some());
            assert!(ours.verify(&token, now()).is_none());
        }
    }

    #[test]
    fn other_algorithms_and_changed_bytes_are_refused() {
        let ours = tokens(1, rules());
        let token = ours.issue(&profile(), now()).unwrap().token;
        let (head, body, tail) = {
            let mut parts = token.split('.');
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
        };
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"1"}"#);
        let mut claims = part(&token, 1);
        claims["sub"] = json!(uuid::Uuid::from_u128(8));
        let forged = URL_SAFE_NO_PAD.encode(claims.to_string());
        // The public key taken for an HMAC secret: the classic confusion.
        let public = ours.keys[0].public.try_get_as_bytes().unwrap();
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("1".into());
        let confused = jsonwebtoken::encode(&header, &part(&token, 1), &EncodingKey::from_secret(public)).unwrap();
        for bad in [
            format!("{none}.{body}."),
            format!("{none}.{body}.{tail}"),
            format!("{head}.{forged}.{tail}"),
            format!("{head}.{body}."),
            format!("{head}.{body}"),
            confused,
            String::new(),
            "a.b.c".into(),
            "é.è.ê".into(),
        ] {
            assert!(ours.verify(&bad, now()).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_key_set_holds_public_parts_only() {
        let keys = tokens(1, rules()).jwks();
        let key = keys["keys"][0].as_object().unwrap();
        let names: Vec<_> = key.keys().map(String::as_str).collect();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"]);
        assert_eq!((key["kty"].as_str(), key["crv"].as_str()), (Some("OKP"), Some("Ed25519")));
    }

    #[tokio::test]
    async fn the_first_key_is_made_once_and_survives_a_restart() {
        let kept = Kept::default();
        let entropy = Arc::new(Counting::default());
        let sealer = Seal::new(master(), entropy.clone());
        let before = EdDsaTokens::load(&kept, &sealer, &*entropy, now(), rules()).await.unwrap();
        let token = before.issue(&profile(), now()).unwrap().token;
        let again = EdDsaTokens::load(&kept, &sealer, &*entropy, now(), rules()).await.unwrap();
        assert!(again.verify(&token, now()).is_some());
        assert_eq!(kept.0.lock().unwrap().len(), 1);

        let other = crate::MasterKey::parse("Zt9LbR4nWc8KdY3sHf6JuT5egXq7vP2m").unwrap();
        let sealer = Seal::new(other, entropy.clone());
        assert!(EdDsaTokens::load(&kept, &sealer, &*entropy, now(), rules()).await.is_err());
    }
}
