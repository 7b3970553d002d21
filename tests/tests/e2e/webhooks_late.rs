//! Webhooks that do not arrive at once: what comes after them of the same thing waits, and whoever never gets any is told by letter.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Database, Hook, MailServer, Manner, Receiver, Server, on_each_database};

use crate::{
    shop,
    webhooks::{INSIDE, PATIENCE, endpoint, path},
};

on_each_database!(
    what_one_thing_tells_keeps_its_order_and_holds_up_no_other,
    who_fails_for_days_is_switched_off_and_their_owner_gets_a_letter,
);

/// The prices that were told of a product, in the order they came.
fn prices(hooks: &[Hook], product: &Value) -> Vec<Value> {
    let bodies = hooks.iter().map(Hook::json).filter(|body| body["data"]["productId"] == product["id"]);
    bodies.map(|body| body["data"]["product"]["price"].clone()).collect()
}

async fn what_one_thing_tells_keeps_its_order_and_holds_up_no_other(database: Database) {
    let mut server = Server::prepared(database, &[INSIDE]);
    server.run().await;
    let seller = server.signed_in("seller").await;
    let (lamp, chair) = (shop::create(&seller, &shop::lamp()).await, shop::create(&seller, &shop::lamp()).await);
    // The first of them all fails, once.
    let receiver = Receiver::start(|n| Manner::Answer(if n == 0 { 500 } else { 204 })).await;
    endpoint(&seller, &receiver.url(), json!({ "eventTypes": ["product.updated"], "ordering": "thing" })).await;
    let change = async |product: &Value, price: u64| {
        let path = format!("/api/v1/products/{}", product["id"].as_str().unwrap());
        seller.patch(&path, &json!({ "price": price })).await.expect(200);
    };
    change(&lamp, 1).await;
    receiver.until("the first comes", |hooks| !hooks.is_empty()).await;
    for price in 2..=6 {
        change(&lamp, price).await;
        change(&chair, price).await;
    }
    let hooks = receiver.until("the other's come", |hooks| prices(hooks, &chair).len() == 5).await;
    assert_eq!(prices(&hooks, &chair), [2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(prices(&hooks, &lamp), [1.0], "what comes after the one that failed waits for it");
    let hooks = receiver.until("all come", |hooks| prices(hooks, &lamp).len() == 7).await;
    assert_eq!(prices(&hooks, &lamp), [1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let of_lamp: Vec<_> = hooks.iter().filter(|hook| hook.json()["data"]["productId"] == lamp["id"]).collect();
    assert_eq!((of_lamp[0].answered, &of_lamp[0].id), (Some(500), &of_lamp[1].id));
    assert!(of_lamp[1].at - of_lamp[0].at >= Duration::from_secs(4), "it was not due");
}

async fn who_fails_for_days_is_switched_off_and_their_owner_gets_a_letter(database: Database) {
    let mails = MailServer::start();
    let settings = MailServer::settings(mails.address());
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).chain([INSIDE]).collect();
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    let seller = server.signed_in("seller").await;
    let receiver = Receiver::start(|_| Manner::Answer(500)).await;
    let (made, secret) = endpoint(&seller, &receiver.url(), json!({})).await;
    seller.post(&format!("{}/test", path(&made)), &json!({})).await.expect(202);
    let began = Instant::now();
    while seller.get(&path(&made)).await.expect(200).json()["failingSince"].is_null() {
        assert!(began.elapsed() < PATIENCE, "it does not fail");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Five days pass at once.
    server.tables().run("UPDATE webhook_endpoints SET failing_since = '2026-01-01T00:00:00+00:00'");
    let email = server.demo_accounts().into_iter().find(|one| one.role == "seller").unwrap().email;
    let letter = mails.nth_to(&email, 1).await;
    assert_eq!(letter.header("Subject"), "A webhook endpoint was switched off");
    assert!(letter.text().contains("switch it on and recover"), "{}", letter.text());
    assert!(!letter.raw.contains(&secret) && !letter.raw.contains(&receiver.url()), "{}", letter.raw);
    let off = seller.get(&path(&made)).await.expect(200).json();
    assert_eq!((&off["enabled"], &off["disabledReason"]), (&json!(false), &json!("failing")));
    assert_eq!(receiver.hooks().len(), 2, "at once, and after five seconds");
}
