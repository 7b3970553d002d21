//! Each provider with what is its own, and answers that must not be believed.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use domain::{
    clock::Clock as _,
    identity::{
        Stranger,
        outside::ports::{Ask, Brought, Declined, Providers as _},
    },
    testing::FakeClock,
};
use serde_json::{Value, json};
use souk_integrations::outside::{AppleKey, ConfiguredProviders, Endpoints, Preset, ProviderSettings};

use crate::{
    calls,
    peer::{Peer, Signer, p256},
};

const NONCE: &str = "5f0c";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CALLBACK: &str = "https://shop.example/oauth/it/callback";

struct World {
    peer: Peer,
    signer: Signer,
    clock: Arc<FakeClock>,
    providers: ConfiguredProviders,
}

fn settings(preset: Preset, peer: &Peer) -> ProviderSettings {
    let at = |path: &str| Some(format!("{}{path}", peer.url));
    let endpoints = Endpoints { issuer: Some(peer.url.clone()), ..Endpoints::default() };
    let rest = Endpoints {
        authorize: at("/authorize"),
        token: at("/token"),
        userinfo: at("/user"),
        emails: at("/user/emails"),
        ..endpoints.clone()
    };
    ProviderSettings {
        name: "it".to_owned(),
        title: preset.title().to_owned(),
        preset,
        client_id: "souk client".to_owned(),
        client_secret: "s3cr&t".to_owned(),
        apple: (preset == Preset::Apple).then(|| AppleKey {
            team: "TEAM".to_owned(),
            id: "KEY".to_owned(),
            pem: p256().1,
        }),
        endpoints: if matches!(preset, Preset::Github | Preset::Discord) { rest } else { endpoints },
        scopes: preset.scopes().to_owned(),
    }
}

impl World {
    fn new(preset: Preset) -> Self {
        Self::with(preset, |_| {})
    }

    fn with(preset: Preset, change: impl FnOnce(&mut ProviderSettings)) -> Self {
        let signer = Signer::rsa("a");
        let peer = Peer::with_keys(&[&signer]);
        let (calls, clock) = calls();
        let mut settings = settings(preset, &peer);
        change(&mut settings);
        let providers = ConfiguredProviders::new(&calls, vec![settings]).unwrap();
        Self { peer, signer, clock, providers }
    }

    fn claims(&self) -> Value {
        let now = self.clock.now().timestamp();
        json!({
            "iss": self.peer.url, "sub": "ada-1", "aud": "souk client", "nonce": NONCE, "iat": now, "exp": now + 300,
            "email": "ada@example.com", "email_verified": true, "name": "Ada",
        })
    }

    /// Redeems codes for this identity token from now on.
    fn sign(&self, claims: &Value) {
        self.peer.say(
            "/token",
            &json!({ "access_token": "at", "token_type": "Bearer", "id_token": self.signer.sign(claims) }),
        );
    }

    async fn identify(&self) -> Result<Stranger, Declined> {
        self.identify_with(|_| {}).await
    }

    async fn identify_with<'a>(&self, change: impl FnOnce(&mut Brought<'a>)) -> Result<Stranger, Declined> {
        let mut brought =
            Brought { code: "c0de", issuer: None, name: None, nonce: NONCE, verifier: VERIFIER, redirect: CALLBACK };
        change(&mut brought);
        self.providers.identify("it", brought).await
    }

    async fn address(&self) -> url::Url {
        let ask = Ask { state: "st&te", nonce: NONCE, verifier: VERIFIER, redirect: CALLBACK };
        self.providers.address("it", ask).await.unwrap().unwrap().parse().unwrap()
    }
}

fn parameter(address: &url::Url, name: &str) -> Option<String> {
    address.query_pairs().find(|(given, _)| given == name).map(|(_, value)| value.into_owned())
}

fn known(found: &Stranger) -> (&str, Option<&str>, bool, Option<&str>) {
    let email = found.email.as_ref().map(domain::identity::Email::as_str);
    (found.id.subject.as_str(), email, found.email_verified, found.name.as_deref())
}

#[tokio::test]
async fn a_browser_is_sent_with_state_nonce_and_challenge() {
    let world = World::new(Preset::Google);
    let address = world.address().await;
    assert!(address.as_str().starts_with(&format!("{}/authorize?", world.peer.url)), "{address}");
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "souk client"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile email"),
        ("state", "st&te"),
        ("nonce", NONCE),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(&address, name).as_deref(), Some(value), "{name}");
    }
    assert!(!address.as_str().contains(VERIFIER) && !address.as_str().contains("s3cr"));
    let ask = Ask { state: "s", nonce: NONCE, verifier: VERIFIER, redirect: CALLBACK };
    assert_eq!(world.providers.address("other", ask).await.unwrap(), None);
}

#[tokio::test]
async fn google_and_gitlab_sign_who_somebody_is() {
    for preset in [Preset::Google, Preset::Gitlab] {
        let world = World::new(preset);
        world.sign(&world.claims());
        let found = world.identify().await.unwrap();
        assert_eq!(known(&found), ("ada-1", Some("ada@example.com"), true, Some("Ada")));
        assert_eq!(found.id.issuer, world.peer.url);
        let redeemed = &world.peer.heard("/token")[0];
        for (name, value) in [
            ("grant_type", "authorization_code"),
            ("code", "c0de"),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("client_id", "souk client"),
            ("client_secret", "s3cr&t"),
        ] {
            assert_eq!(redeemed.field(name).as_deref(), Some(value), "{name}");
        }
        let mut unproven = world.claims();
        unproven["email_verified"] = json!(false);
        world.sign(&unproven);
        assert!(!world.identify().await.unwrap().email_verified);
    }
}

#[tokio::test]
async fn any_other_issuer_tells_the_rest_where_it_tells_who_somebody_is() {
    let world = World::new(Preset::Oidc);
    let mut short = world.claims();
    for name in ["email", "email_verified", "name"] {
        short.as_object_mut().unwrap().remove(name);
    }
    world.sign(&short);
    let said = json!({ "sub": "ada-1", "email": "ada@example.com", "email_verified": true, "given_name": "Ada", "family_name": "L." });
    world.peer.say("/userinfo", &said);
    let found = world.identify().await.unwrap();
    assert_eq!(known(&found), ("ada-1", Some("ada@example.com"), true, Some("Ada L.")));
    let asked = world.peer.heard("/userinfo")[0].head.to_lowercase();
    assert!(asked.contains("authorization: bearer at"), "{asked}");
    // It takes the secret in a header, unless it says otherwise.
    let redeemed = &world.peer.heard("/token")[0];
    assert_eq!(redeemed.field("client_secret"), None);
    assert!(redeemed.head.to_lowercase().contains("authorization: basic "), "{}", redeemed.head);
    assert!(redeemed.head.contains("c291aytjbGllbnQ6czNjciUyNnQ="), "souk+client:s3cr%26t: {}", redeemed.head);
    // Of somebody else it is not ours to hear.
    world.peer.say("/userinfo", &json!({ "sub": "bob-1", "email": "bob@example.com", "email_verified": true }));
    assert_eq!(world.identify().await, Err(Declined::Refused));
}

#[tokio::test]
async fn microsoft_has_an_issuer_for_each_tenant_and_proves_no_address_by_itself() {
    let tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let world = World::with(Preset::Microsoft, |settings| {
        let issuer = settings.endpoints.issuer.take().unwrap();
        settings.endpoints.issuer = Some(format!("{issuer}/common/v2.0"));
    });
    let url = &world.peer.url;
    world.peer.say(
        "/common/v2.0/.well-known/openid-configuration",
        &json!({
            "issuer": format!("{url}/{{tenantid}}/v2.0"),
            "authorization_endpoint": format!("{url}/common/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{url}/token"),
            "jwks_uri": format!("{url}/keys"),
        }),
    );
    assert!(world.address().await.path().starts_with("/common/oauth2"));
    let mut claims = world.claims();
    claims["iss"] = json!(format!("{url}/{tenant}/v2.0"));
    claims["tid"] = json!(tenant);
    world.sign(&claims);
    let found = world.identify().await.unwrap();
    assert_eq!(known(&found), ("ada-1", Some("ada@example.com"), false, Some("Ada")), "though it says email_verified");
    assert_eq!(found.id.issuer, format!("{url}/{tenant}/v2.0"));
    for so in [json!(true), json!("1"), json!(1)] {
        claims["xms_edov"] = so;
        world.sign(&claims);
        assert!(world.identify().await.unwrap().email_verified);
    }
    for (name, value) in [
        ("tid", json!("other")),
        ("tid", json!(null)),
        ("tid", json!("x/../y")),
        ("iss", json!(format!("{url}/{{tenantid}}/v2.0"))),
    ] {
        let mut bad = claims.clone();
        bad[name] = value.clone();
        world.sign(&bad);
        assert_eq!(world.identify().await, Err(Declined::Refused), "{name} {value}");
    }
}

#[tokio::test]
async fn apple_gets_a_secret_that_we_sign_and_tells_the_name_beside_the_code() {
    let world = World::new(Preset::Apple);
    let address = world.address().await;
    assert_eq!(parameter(&address, "response_mode").as_deref(), Some("form_post"));
    assert_eq!(parameter(&address, "scope").as_deref(), Some("openid name email"));
    assert!(world.providers.all()[0].posts);
    let mut claims = world.claims();
    claims.as_object_mut().unwrap().remove("name");
    // It writes truth as a text, and hides addresses behind its own.
    claims["email"] = json!("x7k2@privaterelay.appleid.com");
    claims["email_verified"] = json!("true");
    claims["is_private_email"] = json!("true");
    world.sign(&claims);
    let found = world.identify_with(|brought| brought.name = Some("Ada Lovelace")).await.unwrap();
    assert_eq!(known(&found), ("ada-1", Some("x7k2@privaterelay.appleid.com"), true, Some("Ada Lovelace")));
    assert_eq!(world.identify().await.unwrap().name, None, "it is told once");
    let secret = world.peer.heard("/token")[0].field("client_secret").unwrap();
    let part = |n: usize| -> Value {
        serde_json::from_slice(&BASE64.decode(secret.split('.').nth(n).unwrap()).unwrap()).unwrap()
    };
    assert_eq!((&part(0)["alg"], &part(0)["kid"]), (&json!("ES256"), &json!("KEY")));
    let now = world.clock.now().timestamp();
    assert_eq!(
        part(1),
        json!({ "iss": "TEAM", "iat": now, "exp": now + 300, "aud": world.peer.url, "sub": "souk client" })
    );
}

#[tokio::test]
async fn github_tells_which_address_is_proven_where_it_is_asked() {
    let world = World::new(Preset::Github);
    assert_eq!(parameter(&world.address().await, "nonce"), None, "it signs nothing");
    world
        .peer
        .say("/token", &json!({ "access_token": "gho_x", "scope": "read:user,user:email", "token_type": "bearer" }));
    // The address in a profile is what somebody wrote there, or none.
    world.peer.say("/user", &json!({ "id": 583_231, "login": "ada", "name": null, "email": null }));
    world.peer.say(
        "/user/emails",
        &json!([
            { "email": "old@example.com", "primary": false, "verified": true, "visibility": null },
            { "email": "ada@example.com", "primary": true, "verified": true, "visibility": "private" },
        ]),
    );
    let found = world.identify().await.unwrap();
    assert_eq!(known(&found), ("583231", Some("ada@example.com"), true, Some("ada")));
    assert!(world.peer.heard("/user/emails")[0].head.to_lowercase().contains("authorization: bearer gho_x"));
    assert!(world.peer.heard("/token")[0].head.to_lowercase().contains("accept: application/json"));
    world.peer.say("/user/emails", &json!([{ "email": "ada@example.com", "primary": true, "verified": false }]));
    assert!(!world.identify().await.unwrap().email_verified);
    world.peer.say("/user", &json!({ "id": 583_231, "login": "ada", "email": "somebody@example.com" }));
    world.peer.answer("/user/emails", 404, "", "{}");
    assert_eq!(known(&world.identify().await.unwrap()), ("583231", None, false, Some("ada")));
    // It says 200 to what is wrong.
    world.peer.say("/token", &json!({ "error": "bad_verification_code" }));
    assert_eq!(world.identify().await, Err(Declined::Refused));
}

#[tokio::test]
async fn discord_signs_nothing_and_says_whether_an_address_is_proven() {
    let world = World::new(Preset::Discord);
    world.peer.say("/token", &json!({ "access_token": "x", "token_type": "Bearer", "expires_in": 604_800 }));
    let user = |verified: Value| json!({ "id": "80351110224678912", "username": "ada", "global_name": "Ada", "email": "ada@example.com", "verified": verified });
    for (verified, known_to_be) in [(json!(true), true), (json!(false), false), (json!(null), false)] {
        world.peer.say("/user", &user(verified));
        let found = world.identify().await.unwrap();
        assert_eq!(known(&found), ("80351110224678912", Some("ada@example.com"), known_to_be, Some("Ada")));
    }
    world.peer.say("/user", &json!({ "username": "ada" }));
    assert_eq!(world.identify().await, Err(Declined::Refused));
}

#[tokio::test]
async fn what_does_not_hold_vouches_for_nobody() {
    let world = World::new(Preset::Google);
    let now = world.clock.now().timestamp();
    for (name, value) in [
        ("nonce", json!("another")),
        ("nonce", json!(null)),
        ("aud", json!("another client")),
        ("aud", json!(["souk client", "another client"])),
        ("azp", json!("another client")),
        ("iss", json!("https://evil.example")),
        ("exp", json!(now - 31)),
        ("iat", json!(now + 31)),
        ("sub", json!(null)),
    ] {
        let mut claims = world.claims();
        claims[name] = value.clone();
        world.sign(&claims);
        assert_eq!(world.identify().await, Err(Declined::Refused), "{name} {value}");
    }
    let mut several = world.claims();
    several["aud"] = json!(["souk client", "another client"]);
    several["azp"] = json!("souk client");
    world.sign(&several);
    assert!(world.identify().await.is_ok());
    // Another provider's answer, mixed up with this one's (RFC 9207).
    let mixed = world.identify_with(|brought| brought.issuer = Some("https://evil.example")).await;
    assert_eq!(mixed, Err(Declined::Refused));
    let url = world.peer.url.clone();
    assert!(world.identify_with(|brought| brought.issuer = Some(&url)).await.is_ok());
    world.peer.say("/token", &json!({ "access_token": "at" }));
    assert_eq!(world.identify().await, Err(Declined::Refused), "no identity token");
    let unsigned = format!("{}.{}.", BASE64.encode("{\"alg\":\"none\"}"), BASE64.encode(world.claims().to_string()));
    world.peer.say("/token", &json!({ "access_token": "at", "id_token": unsigned }));
    assert_eq!(world.identify().await, Err(Declined::Refused));
}

#[tokio::test]
async fn who_is_away_is_told_apart_from_who_refuses() {
    let world = World::new(Preset::Google);
    world.peer.answer("/token", 400, "", "{\"error\":\"invalid_grant\"}");
    assert_eq!(world.identify().await, Err(Declined::Refused));
    world.peer.answer("/token", 200, "", "<html>");
    assert_eq!(world.identify().await, Err(Declined::Refused));
    world.peer.answer("/token", 502, "", "");
    assert_eq!(world.identify().await, Err(Declined::Away));
    let gone =
        World::with(Preset::Google, |settings| settings.endpoints.issuer = Some("http://127.0.0.1:9".to_owned()));
    assert_eq!(gone.identify().await, Err(Declined::Away));
    let ask = Ask { state: "s", nonce: NONCE, verifier: VERIFIER, redirect: CALLBACK };
    assert!(matches!(gone.providers.address("it", ask).await, Err(domain::Error::Unavailable { .. })));
    let shown = format!("{:?}", settings(Preset::Apple, &world.peer));
    assert!(!shown.contains("s3cr") && !shown.contains("PRIVATE KEY"), "{shown}");
}
