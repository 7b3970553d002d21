//! Search by the model of a provider: its vectors are kept like those of our own, the shop's calls are written down, and without it products
//! are found by words alone.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Conduct, Database, Fault, FaultProxy, Server, Upstream, on_each_database};

use crate::shop;

on_each_database!(
    a_model_of_a_provider_finds_products_and_words_do_without_it,
    a_budget_of_the_shop_holds_its_model_back,
);

fn settings(url: &str) -> Vec<(&'static str, String)> {
    vec![
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__PROTOCOL", "compatible".to_owned()),
        ("SOUK__ASSISTANT__PROVIDERS__NEAR__URL", url.to_owned()),
        ("SOUK__ASSISTANT__MODELS__VECTORS__DEPLOYMENTS", "near/three".to_owned()),
        ("SOUK__ASSISTANT__MODELS__VECTORS__DIMENSION", "3".to_owned()),
        ("SOUK__ASSISTANT__SEARCH_EMBEDDING", "vectors".to_owned()),
        ("SOUK__DEPENDENCIES__ASSISTANT__RESET_SECONDS", "1".to_owned()),
        ("SOUK__LIMITS__LIST_PRODUCTS", "off".to_owned()),
    ]
}

async fn started(database: Database, settings: &[(&'static str, String)]) -> Server {
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    server
}

async fn search(client: &Client, text: &str) -> Value {
    client.get(&format!("/api/v1/products/search?q={text}&limit=100")).await.expect(200).json()
}

fn finds(found: &Value, product: &Value) -> bool {
    found["items"].as_array().unwrap().iter().any(|item| item["product"]["id"] == product["id"])
}

/// Waits until a search is answered as it should be.
async fn until(client: &Client, text: &str, what: &str, there: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        let found = search(client, text).await;
        if there(&found) {
            return found;
        }
        assert!(Instant::now() < until, "{what}: {found}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_model_of_a_provider_finds_products_and_words_do_without_it(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(1)).await;
    let (provider, address) = FaultProxy::before(&upstream.url());
    let mut server = started(database, &settings(&address)).await;
    let (seller, anyone) = (server.signed_in("seller").await, server.client());
    let mut body = shop::lamp();
    (body["name"], body["description"]) = (json!("Quixotic vessel"), json!("It sails"));
    let vessel = shop::create(&seller, &body).await;
    // By what the model says they mean: no word is the same.
    let found = until(&anyone, "boat", "a vessel is near to a boat", |found| finds(found, &vessel)).await;
    assert_eq!(found["mode"], "hybrid", "{found}");
    assert!(!finds(&search(&anyone, "lantern").await, &vessel) || found["items"][0]["score"].as_f64().unwrap() > 0.9);

    let rows = server.tables().run(
        "SELECT DISTINCT c.kind, c.model, c.request, u.email FROM assistant_calls c JOIN users u ON u.id = c.user_id",
    );
    assert_eq!(rows, [["embedding", "vectors", "search", "shop@localhost"]], "the shop called");

    provider.set(Fault::Refuse);
    let found = until(&anyone, "boat", "search goes on by words", |found| found["mode"] == "text").await;
    assert!(!finds(&found, &vessel), "{found}");
    assert!(finds(&search(&anyone, "quixotic").await, &vessel));
    let until_told = Instant::now() + Duration::from_secs(30);
    while anyone.get("/ready").await.expect(200).json()["degraded"] != json!(["assistant"]) {
        assert!(Instant::now() < until_told, "nobody is told that the provider is away");
        search(&anyone, "boat").await;
    }
    provider.set(Fault::None);
    until(&anyone, "boat", "it is asked again", |found| found["mode"] == "hybrid" && finds(found, &vessel)).await;

    // With the model that comes with the program all vectors are made anew, and none of the other is compared.
    assert!(server.stop().await.success());
    let mut server = server.with("SOUK__ASSISTANT__SEARCH_EMBEDDING", "");
    server.run_again().await;
    let anyone = server.client();
    let asked = upstream.counted().len();
    until(&anyone, "sailing", "vectors are made anew", |found| finds(found, &vessel)).await;
    assert_eq!(upstream.counted().len(), asked, "nobody was asked");
    server.settled().await;
}

async fn a_budget_of_the_shop_holds_its_model_back(database: Database) {
    let upstream = Upstream::start(|_| Conduct::Words(1)).await;
    let mut settings = settings(&upstream.url());
    settings.extend([
        ("SOUK__ASSISTANT__BUDGETS__SHOP__BY", "all".to_owned()),
        ("SOUK__ASSISTANT__BUDGETS__SHOP__SPAN", "month".to_owned()),
        ("SOUK__ASSISTANT__BUDGETS__SHOP__TOKENS", "10".to_owned()),
    ]);
    let server = started(database, &settings).await;
    let found = search(&server.client(), "lamp").await;
    assert_eq!((&found["mode"], upstream.counted().len()), (&json!("text"), 0), "nothing was spent: {found}");
    server.settled().await;
}
