//! What is pushed, held to the document of it: every message that comes over a stream fits its schema, and every message
//! the document names comes.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use souk_e2e::{Database, Events, PUSHED, Server, on_each_database};

use crate::{models3d, shop};

on_each_database!(what_is_told_on_a_stream_is_what_the_document_says);

async fn what_is_told_on_a_stream_is_what_the_document_says(database: Database) {
    let mut server = Server::start(database).await;
    let (owner, admin, client) = (server.signed_in("seller").await, server.signed_in("admin").await, server.client());
    let document = client.get("/api-docs/asyncapi.json").await.expect(200).json();
    let printed: Value = serde_json::from_str(&server.run_command(&["asyncapi"]).1).unwrap();
    assert_eq!(printed, document, "`souk asyncapi` prints what is served");
    assert_eq!(*PUSHED, document, "asyncapi.json is what is served; else run  cargo run -- asyncapi > asyncapi.json");
    let categories = client.get("/api/v1/categories").await.expect(200).json();
    let ids: Vec<&Value> = categories["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    server.settled().await;

    let ahead = client.request("GET", "/api/v1/events?topics=products").header("Last-Event-ID", u64::MAX.to_string());
    let mut messages = vec![Events::open(ahead).await.told().await];
    let mut events = Events::open(owner.request("GET", "/api/v1/events?topics=products")).await;
    let mut body = shop::lamp();
    body["categoryId"] = ids[0].clone();
    let product = shop::create(&owner, &body).await;
    let path = shop::path(&product);
    owner.patch(&path, &json!({ "categoryId": ids[1], "price": 1_000_000.01 })).await.expect(200);
    owner.patch(&path, &json!({ "categoryId": null, "status": "draft" })).await.expect(200);
    let adjusted = owner.post(&format!("{path}/stock-adjustments"), &json!({ "delta": 2 })).await;
    assert!(adjusted.status < 300, "{}", adjusted.text());
    owner.delete(&path).await.expect(200);
    admin.post(&format!("{path}/restore"), &json!({})).await.expect(200);
    for _ in 0..6 {
        messages.push(events.told().await);
    }
    let mut shapes = Events::open(owner.request("GET", "/api/v1/events?topics=models")).await;
    let model = format!("/api/v1/models3d?fileName=cube.stl&productId={}", product["id"].as_str().unwrap());
    let model = owner.send(owner.request("POST", &model).body(models3d::binary())).await.expect(201).json();
    owner.delete(&format!("/api/v1/models3d/{}", model["id"].as_str().unwrap())).await.expect(200);
    while messages.last().is_none_or(|message| message.kind() != "model.deleted") {
        messages.push(shapes.told().await);
    }
    drop(shapes);
    server.terminate();
    messages.push(events.told().await);

    // Each was compared with its schema as it came.
    let heard: BTreeSet<String> = messages.iter().map(|message| message.kind().to_owned()).collect();
    let named = document["channels"]["events"]["messages"].as_object().unwrap().values();
    let named: BTreeSet<String> = named.map(|message| message["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(heard, named);
    assert!(tokio::time::timeout(Duration::from_secs(40), server.ended()).await.unwrap().success());
}
