//! What is declared to go on while something is away goes on: the table of the README, line by line.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use souk_e2e::{
    Bucket, Clamd, Client, Cluster, Conduct, Database, Fault, FaultProxy, Issuer, MailServer, Server, Upstream,
    on_each_database,
};

use crate::shop;

on_each_database!(
    without_the_provider_of_models_all_but_the_assistant_is_served,
    a_shop_without_models_says_nothing_of_them,
);

/// What is tried here and in `faults.rs`.
const TRIED: [&str; 10] =
    ["database", "redis", "cache", "files", "scanner", "mail", "providers", "issuers", "assistant", "replica"];

#[test]
fn everything_that_is_declared_is_tried() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, table) = readme.split_once("| Away | What lacks |").expect("the table of the README");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut declared: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    // A schema that is older than the binary keeps it from starting; `lifecycle.rs` has that.
    declared.retain(|name| *name != "migrations");
    assert_eq!(declared, TRIED);
}

/// Waits until `/ready` names this as away, or no more, and gives what it says.
async fn until_degraded(client: &Client, name: &str, degraded: bool) -> Value {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let ready = client.get("/ready").await.expect(200).json();
        if ready["degraded"].as_array().unwrap().contains(&json!(name)) == degraded {
            return ready;
        }
        assert!(Instant::now() < until, "{name}: {ready}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Says of the thing what it means, and nothing of others.
fn tells(ready: &Value, name: &str) {
    let modes: Vec<&Value> = ready["modes"].as_array().unwrap().iter().filter(|mode| mode["name"] == name).collect();
    assert!(modes.len() == 1 && modes[0]["lacks"].is_string() && modes[0]["works"].is_string(), "{ready}");
}

/// The shop is open: it is read and changed.
async fn is_open(seller: &Client) {
    let product = shop::create(seller, &shop::lamp()).await;
    seller.get(&shop::path(&product)).await.expect(200);
    seller.get("/api/v1/products?limit=1").await.expect(200);
    seller.get("/health").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_store_of_files_all_but_files_is_served() {
    let bucket = Bucket::fresh().await;
    let (store, endpoint) = FaultProxy::before(&bucket.url);
    let settings = [
        ("SOUK__BLOBS__STORE", "s3"),
        ("SOUK__BLOBS__BUCKET", bucket.name.as_str()),
        ("SOUK__BLOBS__ENDPOINT", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("SOUK__DEPENDENCIES__FILES__TIMEOUT_MS", "2000"),
        ("SOUK__DEPENDENCIES__FILES__RESET_SECONDS", "1"),
    ];
    for fault in [Fault::BlackHole, Fault::Refuse, Fault::Reset] {
        let mut server = Server::prepared(Database::postgres(), &settings);
        server.run().await;
        let seller = server.signed_in("seller").await;
        let product = shop::create(&seller, &shop::lamp()).await;
        let path = format!("{}/files?name=a", shop::path(&product));
        let bring = async || seller.send(seller.request("POST", &path).body(vec![7_u8; 100])).await;
        bring().await.expect(201);
        store.set(fault);
        let asked = Instant::now();
        let refused = bring().await;
        refused.error(503, "UNAVAILABLE");
        assert_eq!(refused.header("retry-after"), "2");
        assert!(asked.elapsed() < Duration::from_secs(6), "{fault:?}: {:?}", asked.elapsed());
        tells(&until_degraded(&server.client(), "files", true).await, "files");
        is_open(&seller).await;
        // When enough have failed nobody is made to wait.
        let until = Instant::now() + Duration::from_mins(1);
        while !server.client().get("/metrics").await.text().contains("dependency_state{dependency=\"files\"} 2") {
            assert!(Instant::now() < until, "{fault:?}: it is still called");
            bring().await.error(503, "UNAVAILABLE");
        }
        store.set(Fault::None);
        until_degraded(&server.client(), "files", false).await;
        let until = Instant::now() + Duration::from_secs(20);
        while bring().await.status != 201 {
            assert!(Instant::now() < until, "{fault:?}: it is not called again");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_scanner_all_but_bringing_files_is_served() {
    let clamd = Clamd::start(4);
    let (scanner, address) = FaultProxy::before(&clamd.address());
    let settings = [
        ("SOUK__BLOBS__SCANNER", address.as_str()),
        ("SOUK__DEPENDENCIES__SCANNER__TIMEOUT_MS", "2000"),
        ("SOUK__DEPENDENCIES__SCANNER__RESET_SECONDS", "1"),
    ];
    let mut server = Server::prepared(Database::postgres(), &settings);
    server.run().await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let path = format!("{}/files?name=a", shop::path(&product));
    let bring = async || seller.send(seller.request("POST", &path).body(vec![7_u8; 100])).await;
    let file = bring().await.expect(201).json();
    scanner.set(Fault::Refuse);
    bring().await.error(503, "UNAVAILABLE");
    tells(&until_degraded(&server.client(), "scanner", true).await, "scanner");
    is_open(&seller).await;
    seller.get(file["contentUrl"].as_str().unwrap()).await.expect(200);
    scanner.set(Fault::None);
    until_degraded(&server.client(), "scanner", false).await;
    let until = Instant::now() + Duration::from_secs(20);
    while bring().await.status != 201 {
        assert!(Instant::now() < until, "it is not called again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_mail_server_letters_wait() {
    const ADA: &str = "ada@example.com";
    let mails = MailServer::start();
    let way = FaultProxy::to(&mails.address().to_string());
    let settings = MailServer::settings(way.here());
    let mut settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    settings.extend([
        ("SOUK__DEPENDENCIES__MAIL__VOLUME", "1"),
        ("SOUK__DEPENDENCIES__MAIL__RESET_SECONDS", "1"),
        ("SOUK__DEPENDENCIES__MAIL__TIMEOUT_MS", "1000"),
    ]);
    let mut server = Server::prepared(Database::sqlite(), &settings);
    server.run().await;
    let seller = server.signed_in("seller").await;
    way.set(Fault::BlackHole);
    shop::person(&server, ADA).await;
    let ask = json!({ "email": ADA });
    server.client().post("/api/v1/auth/password-reset", &ask).await.expect(202);
    tells(&until_degraded(&server.client(), "mail", true).await, "mail");
    is_open(&seller).await;
    way.set(Fault::None);
    mails.nth_to(ADA, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_and_an_issuer_every_other_way_in_is_open() {
    let issuer = Issuer::start();
    let (way, url) = FaultProxy::before(&issuer.url);
    let settings = [
        ("SOUK__OAUTH__MOCK__PRESET", "oidc"),
        ("SOUK__OAUTH__MOCK__ISSUER", url.as_str()),
        ("SOUK__OAUTH__MOCK__CLIENT_ID", "souk"),
        ("SOUK__OAUTH__MOCK__CLIENT_SECRET", "secret"),
        ("SOUK__ISSUERS__OTHER__ISSUER", url.as_str()),
        ("SOUK__ISSUERS__OTHER__AUDIENCE", "souk-api"),
        ("SOUK__DEPENDENCIES__PROVIDERS__VOLUME", "1"),
        ("SOUK__DEPENDENCIES__ISSUERS__VOLUME", "1"),
    ];
    let mut server = Server::prepared(Database::sqlite(), &settings);
    server.run().await;
    let seller = server.signed_in("seller").await;
    way.set(Fault::BlackHole);
    let query =
        [("redirectUrl", "http://localhost:5173/in"), ("codeChallenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")];
    let asked = Instant::now();
    let refused = server.client().get_with("/api/v1/auth/oauth/mock/start", &query).await;
    refused.error(503, "UNAVAILABLE");
    assert!(asked.elapsed() < Duration::from_secs(6), "three seconds at the most: {:?}", asked.elapsed());
    // It says that it is of this issuer; nobody can say whether that is so.
    let claims = json!({ "iss": url, "aud": "souk-api", "sub": "a" });
    let token = issuer.token(&claims).await;
    let refused = server.client().with_token(&token).get("/api/v1/users/me").await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    for name in ["providers", "issuers"] {
        tells(&until_degraded(&server.client(), name, true).await, name);
    }
    is_open(&seller).await;
    server.signed_in("buyer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_another_node_those_that_are_left_do_everything() {
    let mut cluster = Cluster::start(Database::postgres(), 2, &[]).await;
    let seller = cluster.nodes[0].signed_in("seller").await;
    is_open(&seller.at(cluster.nodes[1].url())).await;
    cluster.nodes[1].kill();
    is_open(&seller).await;
    assert_eq!(cluster.nodes[0].client().get("/ready").await.expect(200).json()["degraded"], json!([]));
    cluster.nodes[0].settled().await;
}

async fn without_the_provider_of_models_all_but_the_assistant_is_served(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(2)).await;
    let (provider, address) = FaultProxy::before(&upstream.url());
    let settings = [
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__PROTOCOL", "compatible".to_owned()),
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__URL", address.clone()),
        ("SOUK__ASSISTANT__MODELS__SMALL__DEPLOYMENTS", "near/small".to_owned()),
        ("SOUK__ASSISTANT__AGAIN_AFTER_MS", "0".to_owned()),
        ("SOUK__DEPENDENCIES__ASSISTANT__RESET_SECONDS", "1".to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    let seller = server.signed_in("seller").await;
    // Whom nobody has called yet is taken to be well.
    assert_eq!(until_degraded(&server.client(), "assistant", false).await["assistant"], true);
    let body = json!({ "model": "small", "messages": [{ "role": "user", "content": "Hello?" }] });
    seller.post("/v1/chat/completions", &body).await.expect(200);
    provider.set(Fault::Refuse);
    for _ in 0..6 {
        let refused = seller.post("/v1/chat/completions", &body).await.expect(503).json();
        assert_eq!(refused["error"]["code"], "provider_unavailable", "{refused}");
    }
    tells(&until_degraded(&server.client(), "assistant", true).await, "assistant");
    is_open(&seller).await;
    // After a while without any call nobody knows better, and the first that fails tells it again.
    until_degraded(&server.client(), "assistant", false).await;
    seller.post("/v1/chat/completions", &body).await.expect(503);
    until_degraded(&server.client(), "assistant", true).await;
    provider.set(Fault::None);
    let until = Instant::now() + Duration::from_secs(30);
    while seller.post("/v1/chat/completions", &body).await.status != 200 {
        assert!(Instant::now() < until, "it is not called again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_shop_without_models_says_nothing_of_them(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let body = json!({ "model": "small", "messages": [{ "role": "user", "content": "Hello?" }] });
    for _ in 0..6 {
        let refused = seller.post("/v1/chat/completions", &body).await.expect(503).json();
        assert_eq!(refused["error"]["code"], "assistant_not_configured", "{refused}");
    }
    let ready = server.client().get("/ready").await.expect(200).json();
    assert_eq!((&ready["assistant"], &ready["degraded"]), (&Value::Null, &json!([])), "{ready}");
}
