//! Access tokens: JWT signed with Ed25519, so that other services verify them from the JWKS without a call.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    behalf::Impersonator,
    clock::{Entropy, Timestamp},
    error::{Error, Result},
    id::{SessionId, UserId, time_sorted},
    identity::{
        Profile,
        ports::{AccessToken, Session, SigningKeys, Tokens},
    },
    secrets::Sealer,
};
use jsonwebtoken::{Algorithm, Header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    signing_key::{self, SigningKey},
    verified::{Said, Verified},
};

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

/// Makes and reads tokens: signs with the latest key whose time has come, verifies with any.
pub struct EdDsaTokens {
    keys: RwLock<Arc<[SigningKey]>>,
    rules: TokenRules,
    verified: Verified,
    source: Source,
}

/// Where keys come from.
struct Source {
    keys: Arc<dyn SigningKeys>,
    sealer: Arc<dyn Sealer>,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for EdDsaTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EdDsaTokens").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// The header, and nothing else in it: a key that a token brings along, or points to, is no key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    alg: Algorithm,
    kid: String,
    #[serde(rename = "typ")]
    _typ: Option<String>,
}

/// The claims. Roles and seller are for other services to read; this one knows who somebody is now (`domain::identity::Known`), so
/// that a lost role or a ban counts at once.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    sid: SessionId,
    jti: Uuid,
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    #[serde(default)]
    roles: Value,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    seller: Value,
    /// Who acts as the person, if it is not they themselves (RFC 8693).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    act: Option<Act>,
}

/// The operator behind a token, and their own session.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Act {
    sub: UserId,
    sid: SessionId,
}

impl EdDsaTokens {
    /// Loads the keys, or makes the first one.
    ///
    /// # Errors
    /// [`Error::Internal`] when a stored key does not open: the master key is another than before.
    pub async fn load(
        keys: Arc<dyn SigningKeys>,
        sealer: Arc<dyn Sealer>,
        entropy: Arc<dyn Entropy>,
        now: Timestamp,
        rules: TokenRules,
    ) -> Result<Self> {
        let loaded = signing_key::load(&*keys, &*sealer, &*entropy, now).await?;
        Ok(Self::new(loaded, rules, Source { keys, sealer, entropy }))
    }

    fn new(keys: Vec<SigningKey>, rules: TokenRules, source: Source) -> Self {
        Self { keys: RwLock::new(keys.into()), rules, verified: Verified::default(), source }
    }

    /// Reads the keys anew: others may have been made, and some be done with. Gives whether they are others than before.
    ///
    /// # Errors
    /// Those of [`EdDsaTokens::load`]; then the keys stay as they are.
    pub async fn reload(&self, now: Timestamp) -> Result<bool> {
        let Source { keys, sealer, entropy } = &self.source;
        let loaded = signing_key::load(&**keys, &**sealer, &**entropy, now).await?;
        let names = |keys: &[SigningKey]| keys.iter().map(|key| (key.kid.clone(), key.from)).collect::<Vec<_>>();
        if names(&loaded) == names(&self.keys()) {
            return Ok(false);
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = loaded.into();
        // After the keys, so that nothing is kept anew by one that is gone.
        self.verified.clear();
        Ok(true)
    }

    /// The public keys as a JSON Web Key Set (RFC 7517): also of those whose time is still to come.
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.keys().iter().map(|key| &key.jwk).collect::<Vec<_>>() })
    }

    fn keys(&self) -> Arc<[SigningKey]> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a token says, when one of our keys signed it.
    fn read(&self, token: &str) -> Option<Said> {
        if let Some(said) = self.verified.get(token) {
            return Some(said);
        }
        let head = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
        let head: Head = serde_json::from_slice(&head).ok()?;
        let keys = self.keys();
        let key = keys.iter().find(|key| key.kid == head.kid && head.alg == Algorithm::EdDSA)?;
        let claims: Claims = serde_json::from_slice(&key.signed(token)?).ok()?;
        if claims.iss != self.rules.issuer || claims.aud != self.rules.audience {
            return None;
        }
        let by = claims.act.map(|act| Impersonator { user: act.sub, session: act.sid });
        let said = Said { session: claims.sid, user: claims.sub, by, iat: claims.iat, exp: claims.exp };
        self.verified.keep(token, said);
        if !self.keys().iter().any(|still| still.kid == key.kid) {
            // The key went meanwhile, maybe after what was kept by it was forgotten.
            self.verified.clear();
            return None;
        }
        Some(said)
    }

    fn sign(
        &self,
        profile: &Profile,
        session: SessionId,
        act: Option<Act>,
        exp: i64,
        now: Timestamp,
    ) -> Result<AccessToken> {
        let keys = self.keys();
        let due = keys.iter().rev().find(|key| key.from <= now);
        let key = due.or(keys.first()).ok_or_else(|| Error::internal("no key to sign with"))?;
        let claims = Claims {
            sub: profile.user.id,
            sid: session,
            jti: time_sorted(now, &*self.source.entropy),
            iss: self.rules.issuer.clone(),
            aud: self.rules.audience.clone(),
            iat: now.timestamp(),
            exp,
            roles: json!(profile.user.roles),
            seller: json!(profile.seller),
            act,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.kid.clone());
        let token = jsonwebtoken::encode(&header, &claims, &key.private).map_err(Error::internal)?;
        let expires_at =
            Timestamp::from_timestamp(exp, 0).ok_or_else(|| Error::internal("a token's end is out of range"))?;
        Ok(AccessToken { token, expires_at })
    }
}

impl Tokens for EdDsaTokens {
    fn issue(&self, profile: &Profile, session: SessionId, latest: Timestamp, now: Timestamp) -> Result<AccessToken> {
        let lifetime = i64::try_from(self.rules.lifetime.as_secs()).map_err(Error::internal)?;
        let exp = now.timestamp().saturating_add(lifetime).min(latest.timestamp());
        self.sign(profile, session, None, exp, now)
    }

    fn issue_to(
        &self,
        by: Impersonator,
        profile: &Profile,
        session: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<AccessToken> {
        self.sign(profile, session, Some(Act { sub: by.user, sid: by.session }), until.timestamp(), now)
    }

    fn verify(&self, token: &str, now: Timestamp) -> Option<Session> {
        let said = self.read(token)?;
        let until = Timestamp::from_timestamp(said.exp, 0)?;
        let now = now.timestamp();
        let holds = now < said.exp.saturating_add(SKEW) && said.iat <= now.saturating_add(SKEW);
        holds.then_some(Session { id: said.session, user: said.user, until, impersonator: said.by })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use chrono::TimeDelta;
    use domain::{
        identity::{
            Email, User,
            ports::{KeyMaker as _, SealedKey},
        },
        permission::{Role, Roles},
    };
    use jsonwebtoken::EncodingKey;

    use super::*;
    use crate::{
        NewKeys, Seal,
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

    const SESSION: SessionId = SessionId(Uuid::from_u128(5));

    fn source(keys: Arc<Kept>) -> Source {
        let entropy = Arc::new(Counting::default());
        Source { keys, sealer: Arc::new(Seal::new(master(), entropy.clone())), entropy }
    }

    fn named(kid: &str, seed: u8, rules: TokenRules) -> EdDsaTokens {
        let key = SigningKey::new(kid, now(), &[seed; 32]).unwrap();
        EdDsaTokens::new(vec![key], rules, source(Arc::default()))
    }

    fn tokens(seed: u8, rules: TokenRules) -> EdDsaTokens {
        named("1", seed, rules)
    }

    fn issue(tokens: &EdDsaTokens) -> AccessToken {
        tokens.issue(&profile(), SESSION, after(86_400), now()).unwrap()
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
        let issued = issue(&tokens(1, rules()));
        assert_eq!(part(&issued.token, 0), json!({ "typ": "JWT", "alg": "EdDSA", "kid": "1" }));
        let jti = part(&issued.token, 1)["jti"].clone();
        assert!(jti.as_str().is_some_and(|text| text.parse::<Uuid>().is_ok()));
        assert_eq!(
            part(&issued.token, 1),
            json!({
                "sub": profile().user.id, "sid": SESSION, "jti": jti, "iss": "https://shop.example", "aud": "souk",
                "iat": 1_790_000_000, "exp": 1_790_000_900, "roles": ["user", "seller"]
            })
        );
        assert_eq!(issued.expires_at, after(900));
        let session = Session { id: SESSION, user: profile().user.id, until: issued.expires_at, impersonator: None };
        assert_eq!(tokens(1, rules()).verify(&issued.token, now()), Some(session));
    }

    #[test]
    fn a_token_ends_and_does_not_come_from_the_future() {
        let tokens = tokens(1, rules());
        let token = issue(&tokens).token;
        // Known by now or not, it is looked at each time.
        for _ in 0..2 {
            assert!(tokens.verify(&token, after(904)).is_some());
            assert!(tokens.verify(&token, after(905)).is_none());
            assert!(tokens.verify(&token, after(-5)).is_some());
            assert!(tokens.verify(&token, after(-6)).is_none());
        }
        let short = tokens.issue(&profile(), SESSION, after(60), now()).unwrap();
        assert_eq!(short.expires_at, after(60), "no token outlives its session");
    }

    #[test]
    fn other_keys_issuers_and_audiences_are_refused() {
        let ours = tokens(1, rules());
        let strangers = [
            tokens(2, rules()),
            tokens(1, TokenRules { issuer: "https://other.example".into(), ..rules() }),
            tokens(1, TokenRules { audience: "other".into(), ..rules() }),
            named("2", 1, rules()),
        ];
        for stranger in strangers {
            let token = issue(&stranger).token;
            assert!(stranger.verify(&token, now()).is_some());
            assert!(ours.verify(&token, now()).is_none());
        }
    }

    #[test]
    fn other_algorithms_and_changed_bytes_are_refused() {
        let ours = tokens(1, rules());
        let token = issue(&ours).token;
        let (head, body, tail) = {
            let mut parts = token.split('.');
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
        };
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"1"}"#);
        let mut claims = part(&token, 1);
        claims["sub"] = json!(uuid::Uuid::from_u128(8));
        let forged = URL_SAFE_NO_PAD.encode(claims.to_string());
        // The public key taken for an HMAC secret: the classic confusion.
        let keys = ours.keys();
        let public = URL_SAFE_NO_PAD.decode(ours.jwks()["keys"][0]["x"].as_str().unwrap()).unwrap();
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("1".into());
        let confused = jsonwebtoken::encode(&header, &part(&token, 1), &EncodingKey::from_secret(&public)).unwrap();
        // Keys that come with the token, or are pointed to by it; names of keys that are paths or statements.
        let theirs = SigningKey::new("1", now(), &[9; 32]).unwrap();
        let mut tricks = Vec::new();
        for trick in [
            json!({ "jwk": theirs.jwk }),
            json!({ "jku": "https://evil.example/jwks.json" }),
            json!({ "x5u": "https://evil.example/chain.pem" }),
            json!({ "crit": ["exp"] }),
            json!({ "kid": "../../dev/null" }),
            json!({ "kid": "1' OR '1'='1" }),
            json!({ "kid": null }),
            json!({ "kid": ["1"] }),
        ] {
            for signer in [&theirs.private, &keys[0].private] {
                let mut header = json!({ "typ": "JWT", "alg": "EdDSA", "kid": "1" });
                header.as_object_mut().unwrap().extend(trick.as_object().unwrap().clone());
                let head = URL_SAFE_NO_PAD.encode(header.to_string());
                let signed = format!("{head}.{body}");
                let tail = jsonwebtoken::crypto::sign(signed.as_bytes(), signer, Algorithm::EdDSA).unwrap();
                tricks.push(format!("{signed}.{tail}"));
            }
        }
        for bad in &tricks {
            assert!(ours.verify(bad, now()).is_none(), "{bad}");
        }
        for bad in [
            format!("{none}.{body}."),
            format!("{none}.{body}.{tail}"),
            format!("{head}.{forged}.{tail}"),
            format!("{head}.{body}."),
            format!("{head}.{body}.{tail}."),
            format!("{head}.{body}.{body}.{tail}"),
            format!("{head}.{body}={tail}"),
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
        let kept = Arc::new(Kept::default());
        let load = async |source: Source| {
            let Source { keys, sealer, entropy } = source;
            EdDsaTokens::load(keys, sealer, entropy, now(), rules()).await
        };
        let before = load(source(kept.clone())).await.unwrap();
        let token = issue(&before).token;
        let again = load(source(kept.clone())).await.unwrap();
        assert!(again.verify(&token, now()).is_some());
        assert_eq!(kept.0.lock().unwrap().len(), 1);

        let other = crate::MasterKey::parse("Zt9LbR4nWc8KdY3sHf6JuT5egXq7vP2m").unwrap();
        let sealer = Arc::new(Seal::new(other, Arc::new(Counting::default())));
        assert!(load(Source { sealer, ..source(kept) }).await.is_err());
    }

    #[tokio::test]
    async fn a_new_key_is_published_before_it_signs_and_an_old_one_holds_until_it_is_removed() {
        let kept = Arc::new(Kept::default());
        let Source { keys, sealer, entropy } = source(kept.clone());
        let maker = NewKeys::new(sealer.clone(), entropy.clone());
        let tokens = EdDsaTokens::load(keys, sealer, entropy, now(), rules()).await.unwrap();
        let old = issue(&tokens).token;
        let sealed = maker.make("next").unwrap();
        let next = SealedKey { kid: "next".into(), sealed, created_at: now(), signs_from: after(600) };
        kept.0.lock().unwrap().push(next);
        assert!(tokens.reload(now()).await.unwrap() && !tokens.reload(now()).await.unwrap());
        let kids = |tokens: &EdDsaTokens| {
            let keys = tokens.jwks();
            keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(kids(&tokens), ["1", "next"]);
        let kid = |at| part(&tokens.issue(&profile(), SESSION, after(86_400), at).unwrap().token, 0)["kid"].clone();
        assert_eq!((kid(after(599)), kid(after(600))), (json!("1"), json!("next")));
        assert!(tokens.verify(&old, after(600)).is_some());
        kept.0.lock().unwrap().remove(0);
        tokens.reload(after(600)).await.unwrap();
        assert_eq!(tokens.verify(&old, after(600)), None, "also one that was known");
    }
}
