//! Signing in at an issuer that is not ours, and calling with its tokens.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, Issuer, Reply, Server, on_each_database};

on_each_database!(
    somebody_signs_in_at_an_issuer_and_is_known_again,
    what_is_begun_on_one_start_is_gone_on_with_on_the_next,
    an_issuers_token_is_taken_and_no_other,
    five_hundred_first_calls_at_once_make_one_account,
);

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const SECRET: &str = "a-secret-of-the-provider-that-nobody-reads";

fn settings(issuer: &Issuer) -> Vec<(&'static str, String)> {
    vec![
        ("SOUK__OAUTH__MOCK__PRESET", "oidc".to_owned()),
        ("SOUK__OAUTH__MOCK__TITLE", "Mock".to_owned()),
        ("SOUK__OAUTH__MOCK__ISSUER", issuer.url.clone()),
        ("SOUK__OAUTH__MOCK__CLIENT_ID", "souk".to_owned()),
        ("SOUK__OAUTH__MOCK__CLIENT_SECRET", SECRET.to_owned()),
        ("SOUK__ISSUERS__OTHER__ISSUER", issuer.url.clone()),
        ("SOUK__ISSUERS__OTHER__AUDIENCE", "souk-api".to_owned()),
    ]
}

async fn server(database: Database, issuer: &Issuer) -> Server {
    let settings = settings(issuer);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    server
}

/// A browser on its way: what it keeps, and where it is sent.
struct Browser {
    cookie: String,
    at: String,
}

impl Browser {
    async fn start(client: &Client) -> Self {
        let query = [("redirectUrl", "http://localhost:5173/in"), ("codeChallenge", CHALLENGE)];
        let went = client.get_with("/api/v1/auth/oauth/mock/start", &query).await.expect(303);
        let cookie = went.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { cookie, at: went.header("location").to_owned() }
    }

    /// Back from the issuer's page to ours.
    async fn back(&self, client: &Client, address: &str) -> Reply {
        let (_, path) = address.split_once("/oauth/").unwrap();
        let request = client.request("GET", &format!("/oauth/{path}")).header("Cookie", &self.cookie);
        client.send(request).await
    }
}

fn code(reply: Reply) -> String {
    let reply = reply.expect(303);
    let to = reply.header("location");
    to.strip_prefix("http://localhost:5173/in?code=").unwrap_or_else(|| panic!("{to}")).to_owned()
}

async fn exchange(client: &Client, code: &str) -> Reply {
    client.post("/api/v1/auth/oauth/exchange", &json!({ "code": code, "codeVerifier": VERIFIER })).await
}

async fn enter(client: &Client, issuer: &Issuer) -> Reply {
    let browser = Browser::start(client).await;
    let address = issuer.visit(&browser.at).await;
    exchange(client, &code(browser.back(client, &address).await)).await
}

fn ada(email: &str) -> Value {
    json!({ "sub": "ada-1", "email": email, "email_verified": true, "name": "Ada" })
}

async fn somebody_signs_in_at_an_issuer_and_is_known_again(database: Database) {
    let issuer = Issuer::start();
    issuer.vouches(&ada("ada@outside.example.com"));
    let server = server(database, &issuer).await;
    let client = server.client();
    let listed = client.get("/api/v1/auth/providers").await.expect(200).json();
    assert_eq!(listed, json!({ "items": [{ "name": "mock", "title": "Mock" }] }));

    let browser = Browser::start(&client).await;
    let address = issuer.visit(&browser.at).await;
    assert!(address.contains("/oauth/mock/callback?"), "{address}");
    // In another browser it is nobody's, and then it is used up.
    let other = Browser { cookie: "souk_sign_in=".to_owned() + &"0".repeat(64), at: String::new() };
    other.back(&client, &address).await.error(422, "UNPROCESSABLE");
    browser.back(&client, &address).await.error(422, "UNPROCESSABLE");

    let browser = Browser::start(&client).await;
    let address = issuer.visit(&browser.at).await;
    let redeemable = code(browser.back(&client, &address).await);
    browser.back(&client, &address).await.error(422, "UNPROCESSABLE");
    let signed = exchange(&client, &redeemable).await.expect(200).json();
    exchange(&client, &redeemable).await.error(422, "UNPROCESSABLE");
    assert_eq!(signed["user"]["email"], "ada@outside.example.com");
    assert_eq!(signed["user"]["emailVerified"], true);
    let ada = client.with_token(signed["token"].as_str().unwrap());
    assert_eq!(ada.get("/api/v1/users/me").await.expect(200).json()["name"], "Ada");
    assert_eq!(ada.get("/api/v1/users/me/identities").await.expect(200).json()["items"][0]["provider"], "mock");
    ada.delete("/api/v1/users/me/identities/mock").await.error(409, "CONFLICT");

    // Whatever the issuer says of their address later.
    issuer.vouches(&json!({ "sub": "ada-1", "email": "other@outside.example.com", "email_verified": true }));
    let again = enter(&client, &issuer).await.expect(200).json();
    assert_eq!(again["user"]["id"], signed["user"]["id"]);

    // An account of that address which nobody has proven is not given away; its owner links it.
    let bob = json!({ "email": "bob@outside.example.com", "password": "correct horse battery" });
    let registered = client.post("/api/v1/auth/register", &bob).await.expect(201).json();
    issuer.vouches(&json!({ "sub": "bob-1", "email": "bob@outside.example.com", "email_verified": true }));
    enter(&client, &issuer).await.error(409, "CONFLICT");
    let signed_in = client.sign_in("bob@outside.example.com", "correct horse battery").await;
    let browser = Browser::start(&client).await;
    let address = issuer.visit(&browser.at).await;
    let linking = json!({ "code": code(browser.back(&client, &address).await), "codeVerifier": VERIFIER });
    signed_in.post("/api/v1/users/me/identities", &linking).await.expect(200);
    assert_eq!(enter(&client, &issuer).await.expect(200).json()["user"]["id"], registered["id"]);
    signed_in.delete("/api/v1/users/me/identities/mock").await.expect(200);
    enter(&client, &issuer).await.error(409, "CONFLICT");

    server.settled().await;
    let tables = server.tables();
    assert_eq!(tables.number("SELECT count(*) FROM user_identities"), 1);
    let log = server.log();
    for secret in [SECRET, &redeemable, "ada@outside", VERIFIER] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

async fn what_is_begun_on_one_start_is_gone_on_with_on_the_next(database: Database) {
    let issuer = Issuer::start();
    issuer.vouches(&ada("ada@outside.example.com"));
    let mut server = server(database, &issuer).await;
    let browser = Browser::start(&server.client()).await;
    let address = issuer.visit(&browser.at).await;
    server.kill();
    server.run().await;
    let redeemable = code(browser.back(&server.client(), &address).await);
    server.kill();
    server.run().await;
    let first = exchange(&server.client(), &redeemable).await.expect(200).json();
    // What waited is sealed, and has an end.
    let browser = Browser::start(&server.client()).await;
    let address = issuer.visit(&browser.at).await;
    server.tables().run("UPDATE sign_in_steps SET expires_at = '2020-01-01 00:00:00+00:00'");
    browser.back(&server.client(), &address).await.error(422, "UNPROCESSABLE");
    assert_eq!(enter(&server.client(), &issuer).await.expect(200).json()["user"]["id"], first["user"]["id"]);
}

async fn an_issuers_token_is_taken_and_no_other(database: Database) {
    let issuer = Issuer::start();
    let server = server(database, &issuer).await;
    let claims =
        json!({ "sub": "eve-1", "aud": "souk-api", "email": "eve@outside.example.com", "email_verified": true });
    let eve = server.client().with_token(&issuer.token(&claims).await);
    let me = eve.get("/api/v1/users/me").await.expect(200).json();
    assert_eq!(
        (&me["email"], &me["emailVerified"], &me["roles"]),
        (&json!("eve@outside.example.com"), &json!(true), &json!(["user"]))
    );
    let with = async |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        server.client().with_token(&issuer.token(&claims).await).get("/api/v1/users/me").await
    };
    // Another token of the same person.
    assert_eq!(with("iat", json!(1)).await.expect(200).json()["id"], me["id"]);
    with("aud", json!("another")).await.error(401, "UNAUTHORIZED");
    with("exp", json!(1)).await.error(401, "UNAUTHORIZED");
    with("iss", json!("https://evil.example")).await.error(401, "UNAUTHORIZED");
    eve.get("/api/v1/sessions").await.error(403, "FORBIDDEN");
    eve.post("/api/v1/sellers", &json!({ "name": "Eve and Sons" })).await.expect(201);
    // By the other door they are who they are.
    issuer.vouches(&json!({ "sub": "eve-1", "email": "eve@outside.example.com", "email_verified": true }));
    assert_eq!(enter(&server.client(), &issuer).await.expect(200).json()["user"]["id"], me["id"]);
    // Somebody without an address has none.
    let nobody = json!({ "sub": "nobody-1", "aud": "souk-api", "email": null });
    let nobody = server.client().with_token(&issuer.token(&nobody).await);
    let nobody = nobody.get("/api/v1/users/me").await.expect(200).json();
    assert!(nobody["email"].as_str().unwrap().ends_with("@no-address.invalid") && nobody["emailVerified"] == false);
    // Streams and sockets are theirs as long as the token is, or the next one.
    let mut socket = eve.socket().await;
    let next = issuer.token(&claims).await;
    let refreshed = socket.ask(&json!({ "type": "refresh", "token": next })).await;
    assert_eq!(refreshed["type"], "refreshed", "{refreshed}");
    let other = json!({ "sub": "nobody-1", "aud": "souk-api", "email": null });
    let other = socket.ask(&json!({ "type": "refresh", "token": issuer.token(&other).await })).await;
    assert_eq!((&other["type"], &other["code"]), (&json!("error"), &json!("FORBIDDEN")), "{other}");
    assert!(eve.begun("/api/v1/events", &[("topics", "products")]).await.1.is_none(), "a stream goes on");
    let path = format!("/api/v1/users/{}/ban", me["id"].as_str().unwrap());
    server.signed_in("admin").await.put(&path, &json!({ "reason": "Spam" })).await.expect(200);
    eve.get("/api/v1/users/me").await.error(401, "UNAUTHORIZED");
    assert_eq!(socket.closed().await.code, 4401);
    eve.get("/api/v1/events?topics=products").await.error(401, "UNAUTHORIZED");
}

async fn five_hundred_first_calls_at_once_make_one_account(database: Database) {
    let issuer = Issuer::start();
    let server = server(database, &issuer).await;
    let claims =
        json!({ "sub": "eve-1", "aud": "souk-api", "email": "eve@outside.example.com", "email_verified": true });
    let eve = server.client().with_token(&issuer.token(&claims).await);
    let mut calling = tokio::task::JoinSet::new();
    for _ in 0..500 {
        let eve = eve.clone();
        calling.spawn(async move { eve.get("/api/v1/users/me").await });
    }
    let answers = calling.join_all().await;
    // Of many who make the account at once each but one tries again, and who lost too often is told so.
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 503)));
    let ids: std::collections::BTreeSet<String> =
        answers.iter().filter(|answer| answer.status == 200).map(|answer| answer.json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    eve.get("/api/v1/users/me").await.expect(200);
    server.settled().await;
    assert_eq!(server.tables().number("SELECT count(*) FROM user_identities"), 1);
    let metrics = server.client().get("/metrics").await.text();
    let fetches = |document: &str| {
        let line = format!("issuer_fetches_total{{issuer=\"other\",document=\"{document}\",outcome=\"ok\"}} ");
        metrics.lines().find_map(|found| found.strip_prefix(&line)).map(str::to_owned)
    };
    assert_eq!(fetches("keys").as_deref(), Some("1"), "{metrics}");
    assert_eq!(fetches("metadata").as_deref(), Some("1"));
}

/// A sign-in goes over the nodes as the balancer likes, and what one ends is over on the other within a second.
#[tokio::test]
async fn a_sign_in_and_its_end_are_of_all_nodes() {
    let issuer = Issuer::start();
    issuer.vouches(&ada("ada@outside.example.com"));
    let settings = settings(&issuer);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let cluster = Cluster::start(Database::postgres(), 2, &settings).await;
    let [here, there] = &cluster.nodes[..] else { panic!("two nodes") };
    let browser = Browser::start(&here.client()).await;
    let address = issuer.visit(&browser.at).await;
    let redeemable = code(browser.back(&there.client(), &address).await);
    let signed = exchange(&here.client(), &redeemable).await.expect(200).json();
    exchange(&there.client(), &redeemable).await.error(422, "UNPROCESSABLE");

    let ada = here.client().with_token(signed["token"].as_str().unwrap());
    let claims = json!({ "sub": "ada-1", "aud": "souk-api" });
    let by_issuer = there.client().with_token(&issuer.token(&claims).await);
    assert_eq!(by_issuer.get("/api/v1/users/me").await.expect(200).json()["id"], signed["user"]["id"]);
    // A password, so that the identity is not the last way in.
    here.tables().run("UPDATE users SET password_hash = '$2b$04$abcdefghijklmnopqrstuu5Lf8H1qT8B2q1v5r7l9m3nP5s7u9w1y' WHERE email = 'ada@outside.example.com'");
    ada.delete("/api/v1/users/me/identities/mock").await.expect(200);
    let began = Instant::now();
    // Who comes with the token from then on is somebody new.
    loop {
        let now = by_issuer.get("/api/v1/users/me").await.expect(200).json();
        if now["id"] != signed["user"]["id"] {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(1), "it is not heeded");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
