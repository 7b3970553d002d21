//! Access tokens of issuers: what holds, what does not, and how often an issuer is asked.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use domain::{
    Error,
    clock::Clock as _,
    identity::outside::{Vouched, ports::Issuers as _},
    testing::FakeClock,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use souk_integrations::outside::{IssuerSettings, TrustedIssuers};

use crate::{
    calls,
    peer::{Peer, Signer},
};

struct World {
    peer: Peer,
    clock: Arc<FakeClock>,
    issuers: TrustedIssuers,
}

fn settings(peer: &Peer) -> IssuerSettings {
    IssuerSettings {
        name: "clerk".to_owned(),
        issuer: peer.url.clone(),
        audiences: vec!["souk".to_owned()],
        parties: Vec::new(),
        keys_url: None,
        algorithms: ["RS256", "ES256", "EdDSA"].map(str::to_owned).into(),
        email_claim: "email".to_owned(),
        verified_claim: "email_verified".to_owned(),
        name_claim: "name".to_owned(),
    }
}

impl World {
    fn new(peer: Peer, change: impl FnOnce(&mut IssuerSettings)) -> Self {
        let (calls, clock) = calls();
        let mut settings = settings(&peer);
        change(&mut settings);
        Self { issuers: TrustedIssuers::new(&calls, vec![settings]).unwrap(), peer, clock }
    }

    fn claims(&self) -> Value {
        let now = self.clock.now().timestamp();
        json!({ "iss": self.peer.url, "sub": "user_1", "aud": "souk", "iat": now, "nbf": now, "exp": now + 300 })
    }

    fn but(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[name] = value;
        claims
    }

    async fn verify(&self, token: &str) -> Option<Arc<Vouched>> {
        self.issuers.verify(token, self.clock.now()).await.unwrap()
    }
}

#[tokio::test]
async fn a_token_of_each_kind_of_key_says_who_somebody_is() {
    for signer in [Signer::rsa("a"), Signer::ec("a"), Signer::ed("a")] {
        let world = World::new(Peer::with_keys(&[&signer]), |_| {});
        let mut claims = world.but("email", json!("Ada@Example.com"));
        claims["email_verified"] = json!(true);
        claims["name"] = json!("Ada");
        let vouched = world.verify(&signer.sign(&claims)).await.unwrap();
        assert_eq!(
            (vouched.stranger.id.issuer.as_str(), vouched.stranger.id.subject.as_str()),
            (&*world.peer.url, "user_1")
        );
        assert_eq!(vouched.stranger.proven_email().unwrap().as_str(), "ada@example.com");
        assert_eq!((vouched.stranger.provider.as_str(), vouched.stranger.name.as_deref()), ("clerk", Some("Ada")));
        assert_eq!(vouched.until.timestamp(), world.clock.now().timestamp() + 300);
        let other = world.verify(&signer.sign(&world.but("sub", json!("user_2")))).await.unwrap();
        assert_ne!(other.key, vouched.key);
        assert_eq!(other.stranger.proven_email(), None);
    }
}

#[tokio::test]
async fn what_a_token_says_must_hold() {
    let signer = Signer::ed("a");
    let world =
        World::new(Peer::with_keys(&[&signer]), |settings| settings.parties = vec!["https://shop.example".to_owned()]);
    let now = world.clock.now().timestamp();
    let good = world.but("azp", json!("https://shop.example"));
    assert!(world.verify(&signer.sign(&good)).await.is_some());
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        signer.sign(&claims)
    };
    for (name, value) in [
        ("exp", json!(now - 31)),
        ("exp", json!("never")),
        ("exp", json!(null)),
        ("nbf", json!(now + 31)),
        ("iat", json!(now + 31)),
        ("iat", json!("today")),
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{}/", world.peer.url))),
        ("aud", json!("other")),
        ("aud", json!(["other", "another"])),
        ("aud", json!(null)),
        ("azp", json!("https://evil.example")),
        ("azp", json!(null)),
        ("sub", json!("")),
        ("sub", json!(null)),
        ("sub", json!(7)),
        ("sub", json!("x".repeat(256))),
    ] {
        assert_eq!(world.verify(&with(name, value.clone())).await, None, "{name} {value}");
    }
    for (name, value) in [
        ("exp", json!(now - 29)),
        ("nbf", json!(now + 29)),
        ("aud", json!(["other", "souk"])),
        ("exp", serde_json::from_str(&format!("{}.5", now + 60)).unwrap()),
    ] {
        assert!(world.verify(&with(name, value.clone())).await.is_some(), "{name} {value}");
    }
}

#[tokio::test]
async fn no_trick_with_keys_or_algorithms_makes_a_token_good() {
    let signer = Signer::rsa("a");
    let evil = Signer::ed("evil");
    let world = World::new(Peer::with_keys(&[&signer]), |_| {});
    let claims = world.claims();
    assert!(world.verify(&signer.sign(&claims)).await.is_some());
    let encoded = |head: Value| {
        let body = BASE64.encode(claims.to_string());
        format!("{}.{body}", BASE64.encode(head.to_string()))
    };
    let mut bad = vec![String::new(), "..".to_owned(), "a.b.c".to_owned(), "x".repeat(20_000)];
    // Without a signature.
    for alg in ["none", "None", "NONE", ""] {
        bad.push(format!("{}.", encoded(json!({ "alg": alg, "typ": "JWT", "kid": "a" }))));
    }
    // The public key as the secret of a shared one, in the forms it is published in.
    let modulus = signer.jwk["n"].as_str().unwrap();
    for secret in [modulus.as_bytes().to_vec(), BASE64.decode(modulus).unwrap(), signer.jwk.to_string().into_bytes()] {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("a".to_owned());
        bad.push(jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&secret)).unwrap());
    }
    // A key of their own, brought along or pointed to.
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(evil.jwk.clone()).unwrap();
    bad.push(evil.sign_with(&claims, |header| header.jwk = Some(jwk)));
    bad.push(evil.sign_with(&claims, |header| header.jku = Some(format!("{}/evil", world.peer.url))));
    bad.push(evil.sign_with(&claims, |header| header.x5u = Some(format!("{}/evil", world.peer.url))));
    bad.push(evil.sign_with(&claims, |header| header.kid = Some("a".to_owned())));
    bad.push(evil.sign(&claims));
    // The right key with a header that points elsewhere.
    bad.push(signer.sign_with(&claims, |header| header.jku = Some("https://evil.example".to_owned())));
    for name in ["", "../../dev/null", "' OR 1=1 --", "A", &"a".repeat(5000)] {
        bad.push(signer.sign_with(&claims, |header| header.kid = Some(name.to_owned())));
    }
    // Another algorithm of the same key than the settings take.
    bad.push(signer.sign_with(&claims, |header| header.alg = Algorithm::PS256));
    bad.push(signer.sign_with(&claims, |header| header.typ = Some("logout+jwt".to_owned())));
    let good = signer.sign(&claims);
    // The first character of the signature: the last one may say the same by several.
    let (said, signature) = good.rsplit_once('.').unwrap();
    bad.push(format!("{said}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]));
    bad.push(format!("{good}.x"));
    for token in &bad {
        assert_eq!(world.verify(token).await, None, "{token:.300}");
    }
    assert_eq!(world.peer.heard("/evil").len(), 0, "nobody is asked for what a token points to");
    assert!(world.verify(&signer.sign_with(&claims, |header| header.kid = None)).await.is_some(), "there is one key");
}

#[tokio::test]
async fn keys_for_something_else_sign_nothing() {
    for (name, value) in [("use", json!("enc")), ("alg", json!("ES256")), ("key_ops", json!(["encrypt"]))] {
        let mut signer = Signer::ed("a");
        signer.jwk[name] = value.clone();
        let other = Signer::ec("b");
        let world = World::new(Peer::with_keys(&[&signer, &other]), |_| {});
        assert_eq!(world.verify(&signer.sign(&world.claims())).await, None, "{name} {value}");
    }
}

#[tokio::test]
async fn five_hundred_at_once_are_one_question() {
    let signer = Signer::ed("a");
    let world = World::new(Peer::with_keys(&[&signer]), |_| {});
    let tokens: Vec<String> = (0..500).map(|n| signer.sign(&world.but("sub", json!(format!("user_{n}"))))).collect();
    let all = futures_util::future::join_all(tokens.iter().map(|token| world.verify(token))).await;
    assert!(all.iter().all(Option::is_some));
    let asked = |path: &str| world.peer.heard(path).len();
    assert_eq!((asked("/.well-known/openid-configuration"), asked("/keys")), (1, 1));
    // As long as they are kept, nobody asks.
    world.clock.advance(Duration::from_secs(290));
    for token in &tokens {
        assert!(world.verify(token).await.is_some());
    }
    assert_eq!(asked("/keys"), 1);
}

#[tokio::test]
async fn names_of_keys_that_are_not_there_hammer_nobody() {
    let signer = Signer::ed("a");
    let world = World::new(Peer::with_keys(&[&signer]), |_| {});
    assert!(world.verify(&signer.sign(&world.claims())).await.is_some());
    let asked = || world.peer.heard("/keys").len();
    let made_up = |n: usize| signer.sign_with(&world.claims(), |header| header.kid = Some(format!("key {n}")));
    let storm = async |from: usize| {
        let tokens: Vec<String> = (from..from + 300).map(made_up).collect();
        let all = futures_util::future::join_all(tokens.iter().map(|token| world.verify(token))).await;
        assert!(all.iter().all(Option::is_none));
    };
    storm(0).await;
    assert_eq!(asked(), 1, "the keys were just fetched");
    world.clock.advance(Duration::from_secs(30));
    storm(1000).await;
    storm(2000).await;
    assert_eq!(asked(), 2);
    // A key that came meanwhile is found by the first who may ask.
    let next = Signer::ed("next");
    world.peer.publish(&[&signer, &next], "max-age=600");
    assert_eq!(world.verify(&next.sign(&world.claims())).await, None);
    world.clock.advance(Duration::from_secs(30));
    assert!(world.verify(&next.sign(&world.claims())).await.is_some());
    assert_eq!(asked(), 3);
}

#[tokio::test]
async fn a_key_that_was_withdrawn_holds_no_longer_than_the_keys_are_kept() {
    let (signer, next) = (Signer::ed("a"), Signer::ed("next"));
    let world = World::new(Peer::with_keys(&[&signer]), |_| {});
    let claims = world.but("exp", json!(world.clock.now().timestamp() + 3600));
    let token = signer.sign(&claims);
    assert!(world.verify(&token).await.is_some());
    world.peer.publish(&[&next], "max-age=600");
    assert!(world.verify(&token).await.is_some());
    world.clock.advance(Duration::from_mins(10));
    assert_eq!(world.verify(&token).await, None, "though it was verified before");
}

#[tokio::test]
async fn an_issuer_that_is_away_keeps_nobody_out_whose_key_is_known() {
    let signer = Signer::ed("a");
    let world = World::new(Peer::with_keys(&[&signer]), |_| {});
    let later = |world: &World| signer.sign(&world.claims());
    assert!(world.verify(&later(&world)).await.is_some());
    for path in ["/keys", "/.well-known/openid-configuration"] {
        world.peer.answer(path, 500, "", "");
    }
    world.clock.advance(Duration::from_hours(7));
    for _ in 0..20 {
        assert!(world.verify(&later(&world)).await.is_some());
    }
    assert_eq!(world.peer.heard("/keys").len(), 2, "it is asked now and then");
    world.clock.advance(Duration::from_hours(24));
    let away = world.issuers.verify(&later(&world), world.clock.now()).await;
    assert!(matches!(away, Err(Error::Unavailable { .. })), "{away:?}");
    // One that was never heard of is unknown, not bad.
    let silent = World::new(Peer::start(), |_| {});
    silent.peer.answer("/keys", 503, "", "");
    let away = silent.issuers.verify(&later(&silent), silent.clock.now()).await;
    assert!(matches!(away, Err(Error::Unavailable { .. })), "{away:?}");
}

#[tokio::test]
async fn keys_are_kept_as_long_as_their_issuer_says_within_bounds() {
    for (said, kept) in
        [("max-age=120", 120), ("public, max-age=1", 60), ("max-age=9999999", 6 * 3600), ("no-store", 600)]
    {
        let signer = Signer::ed("a");
        let world = World::new(Peer::start(), |settings| {
            settings.keys_url = Some(format!("{}/keys", settings.issuer));
        });
        world.peer.publish(&[&signer], said);
        let asked = || world.peer.heard("/keys").len();
        assert!(world.verify(&signer.sign(&world.claims())).await.is_some());
        world.clock.advance(Duration::from_secs(kept - 1));
        assert!(world.verify(&signer.sign(&world.claims())).await.is_some());
        assert_eq!(asked(), 1, "{said}");
        world.clock.advance(Duration::from_secs(1));
        assert!(world.verify(&signer.sign(&world.claims())).await.is_some());
        assert_eq!(asked(), 2, "{said}");
        assert_eq!(world.peer.heard("/.well-known/openid-configuration").len(), 0, "it was said where they are");
    }
}

#[tokio::test]
async fn another_issuers_word_is_not_taken() {
    let signer = Signer::ed("a");
    let peer = Peer::with_keys(&[&signer]);
    for document in [
        json!({ "issuer": "https://evil.example", "jwks_uri": format!("{}/keys", peer.url) }),
        json!({ "issuer": peer.url, "jwks_uri": "file:///etc/passwd" }),
        // On another host it is an address that somebody supplied, and leads nowhere inside.
        json!({ "issuer": peer.url, "jwks_uri": format!("{}/keys", peer.url.replace("127.0.0.1", "localhost")) }),
        json!({ "issuer": peer.url }),
        json!("issuer"),
    ] {
        peer.say("/.well-known/openid-configuration", &document);
        let world = World::new(peer.clone(), |_| {});
        let refused = world.issuers.verify(&signer.sign(&world.claims()), world.clock.now()).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "{document}: {refused:?}");
    }
    assert_eq!(peer.heard("/keys").len(), 0);
}
