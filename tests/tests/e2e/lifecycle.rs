//! Starting, ending and starting again.

use std::time::{Duration, Instant};

use serde_json::json;
use souk_e2e::{Database, Events, Server, on_each_database};

use crate::shop;

on_each_database!(
    demo_accounts_are_printed_once_and_work,
    a_kill_while_the_demo_loads_leaves_a_shop_that_can_be_used,
    ends_well_when_told_to,
    says_that_it_ends_while_it_still_serves,
    finishes_what_is_in_flight,
    keeps_data_over_a_restart,
    keeps_acknowledged_writes_over_a_kill,
);

async fn demo_accounts_are_printed_once_and_work(database: Database) {
    let mut server = Server::start(database).await;
    let accounts = server.demo_accounts();
    let mut parts: Vec<&str> = accounts.iter().map(|account| account.role.as_str()).collect();
    parts.sort_unstable();
    assert_eq!(parts, ["admin", "buyer", "seller"]);
    for (part, role) in [("admin", "admin"), ("buyer", "user"), ("seller", "seller")] {
        let me = server.signed_in(part).await.get("/api/v1/users/me").await.expect(200).json();
        assert_eq!(me["role"], role, "{me}");
    }
    assert!(server.client().get("/api/v1/products").await.expect(200).json()["total"].as_u64() > Some(0));

    assert!(server.stop().await.success());
    server.run().await;
    assert_eq!(server.demo_accounts(), accounts, "the second start prints no account again");
}

async fn a_kill_while_the_demo_loads_leaves_a_shop_that_can_be_used(database: Database) {
    let whole = Server::start(Database::sqlite()).await;
    let products = whole.client().get("/api/v1/products").await.expect(200).json()["total"].clone();
    let mut server = Server::prepared(database, &[]);
    // The accounts are printed just before they are made: at this moment the shop is being written.
    for _ in 0..5 {
        let before = server.log().len();
        let mut process = server.command(&["serve"]).spawn().unwrap();
        let until = Instant::now() + Duration::from_mins(1);
        // A kill that came too late has left a whole shop, which is not loaded again.
        while !["demo account  buyer", "serving"].iter().any(|sign| server.log()[before..].contains(sign)) {
            assert!(Instant::now() < until, "no accounts:\n{}", server.log());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        process.kill().unwrap();
        process.wait().unwrap();
    }
    server.run().await;
    for part in ["admin", "seller", "buyer"] {
        server.signed_in(part).await.get("/api/v1/users/me").await.expect(200);
    }
    assert_eq!(server.client().get("/api/v1/products").await.expect(200).json()["total"], products);
}

async fn ends_well_when_told_to(database: Database) {
    let mut server = Server::start(database).await;
    let status = server.stop().await;
    assert!(status.success(), "{status}: {}", server.log());
}

async fn says_that_it_ends_while_it_still_serves(database: Database) {
    let mut server = Server::prepared(database, &[("SOUK__HTTP__DRAIN_SECONDS", "120")]);
    server.run().await;
    let client = server.client();
    let before = client.get("/api/v1/products").await.expect(200);
    assert_eq!(before.header("connection"), "");
    let mut events = Events::open(client.request("GET", "/api/v1/events?topics=products")).await;
    server.terminate();
    // Streams end at the begin of the drain: who listened is somewhere else when it is over.
    let closing = events.told().await;
    assert_eq!(closing.data.unwrap(), json!({ "type": "closing", "reason": "shutdown" }));
    assert_eq!(events.next().await, None);
    let ready = client.get("/ready").await.expect(503);
    assert_eq!(ready.json(), json!({ "serving": false, "degraded": [], "embedded": [] }));
    for _ in 0..3 {
        let answer = client.get("/api/v1/products").await.expect(200);
        assert_eq!(answer.header("connection"), "close");
    }
    // Told twice by whoever looks after processes, it goes on; a person who interrupts it a second time is in a hurry.
    server.terminate();
    client.get("/api/v1/products").await.expect(200);
    let began = Instant::now();
    server.interrupt();
    assert!(server.ended().await.success(), "{}", server.log());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(server.log().contains("ending at once"), "{}", server.log());
}

async fn finishes_what_is_in_flight(database: Database) {
    let mut server = Server::start(database).await;
    let client = server.client();
    // Each sign-up hashes a password, so that some of these are in flight when the signal comes.
    let requests: Vec<_> = (0..8)
        .map(|i| {
            let body = json!({ "email": format!("flight{i}@example.com"), "password": "correct horse", "name": "Ada" });
            let client = client.clone();
            async move { client.try_send(client.request("POST", "/api/v1/auth/register").json(&body)).await }
        })
        .collect();
    let mut running = tokio::task::JoinSet::new();
    for request in requests {
        running.spawn(request);
    }
    let first = running.join_next().await.unwrap().unwrap().unwrap().expect(201);
    assert!(!first.body.is_empty());
    server.terminate();
    while let Some(reply) = running.join_next().await {
        // A request the server had not taken yet is refused; one it had taken is answered in full.
        match reply.unwrap() {
            Ok(reply) => assert!(matches!(reply.status, 201 | 503), "{}: {}", reply.what, reply.text()),
            Err(error) => assert!(error.is_connect() || error.is_request(), "cut in the middle: {error:?}"),
        }
    }
    let status = tokio::time::timeout(Duration::from_secs(40), server.ended()).await.unwrap();
    assert!(status.success(), "{status}");
}

async fn keeps_data_over_a_restart(database: Database) {
    let mut server = Server::start(database).await;
    let product = shop::create(&server.signed_in("seller").await, &shop::lamp()).await;
    assert!(server.stop().await.success());

    server.run().await;
    let again = server.client().get(&shop::path(&product)).await.expect(200).json();
    assert_eq!(
        (&again["id"], &again["name"], &again["version"]),
        (&product["id"], &product["name"], &product["version"])
    );
    // Tokens outlive the process, too: their keys are in the database.
    let seller = server.signed_in("seller").await;
    seller.patch(&shop::path(&product), &json!({ "stock": 5 })).await.expect(200);
}

async fn keeps_acknowledged_writes_over_a_kill(database: Database) {
    let mut server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let mut acknowledged = Vec::new();
    for i in 0..10 {
        let mut body = shop::lamp();
        body["sku"] = json!(format!("kill-{i}"));
        acknowledged.push(shop::create(&seller, &body).await);
    }
    server.kill();
    server.run().await;
    for product in &acknowledged {
        server.client().get(&shop::path(product)).await.expect(200);
    }
}
