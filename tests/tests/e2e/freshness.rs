//! The cache: what was acknowledged is read at once, whoever else reads at the same moment (ruling R28).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use souk_e2e::{Client, Database, Server, on_each_database};
use tokio::task::JoinSet;

use crate::shop;

on_each_database!(
    an_answered_change_is_read_at_once,
    readers_beside_a_writer_never_read_back_in_time,
    many_who_ask_the_same_at_once_are_one_query,
    a_command_beside_the_server_is_seen,
    a_list_that_did_not_change_is_not_sent_again,
    what_is_kept_compressed_says_so,
);

const LIST: &str = "/api/v1/products?limit=5";

/// A server that keeps answers, on SQLite by itself and on PostgreSQL with Redis: it is the only node here.
async fn cached(database: Database) -> Server {
    let mut server = Server::prepared(database, &[("SOUK__CACHE__MODE", "on")]);
    server.run().await;
    server.caching().await;
    server
}

/// Reads until the answer comes from the cache, so that the next change finds one there.
async fn warm(client: &Client, path: &str) -> Value {
    client.get(path).await.expect(200);
    client.get(path).await.expect(200).json()
}

async fn an_answered_change_is_read_at_once(database: Database) {
    let server = cached(database).await;
    let (owner, admin, buyer) =
        (server.signed_in("seller").await, server.signed_in("admin").await, server.signed_in("buyer").await);
    let nobody = server.client();
    let category = admin.post("/api/v1/categories", &json!({ "name": "Lamps of brass" })).await.expect(201).json();
    let before = warm(&nobody, LIST).await["total"].as_u64().unwrap();
    let mut body = shop::lamp();
    body["categoryId"] = category["id"].clone();
    let product = shop::create(&owner, &body).await;
    let path = shop::path(&product);
    assert_eq!(warm(&nobody, LIST).await["total"], before + 1);

    assert_eq!(warm(&nobody, &path).await["price"], 19.95);
    owner.patch(&path, &json!({ "price": 5 })).await.expect(200);
    assert_eq!(warm(&nobody, &path).await["price"], 5.0);
    assert_eq!(warm(&nobody, LIST).await["items"][0]["price"], 5.0);
    owner.post(&format!("{path}/stock-adjustments"), &json!({ "delta": -1 })).await.expect(200);
    assert_eq!(warm(&nobody, &path).await["stock"], 2);
    buyer.post(&format!("{path}/reviews"), &json!({ "stars": 5 })).await.expect(201);
    let reviewed = warm(&nobody, &path).await;
    assert_eq!((&reviewed["rating"]["count"], reviewed["reviews"].as_array().unwrap().len()), (&json!(1), 1));
    assert_eq!(warm(&nobody, LIST).await["items"][0]["rating"]["count"], 1);
    let renamed = format!("/api/v1/categories/{}", category["id"].as_str().unwrap());
    admin.patch(&renamed, &json!({ "name": "Lamps of tin" })).await.expect(200);
    assert_eq!(warm(&nobody, &path).await["category"]["name"], "Lamps of tin");

    owner.patch(&path, &json!({ "status": "draft" })).await.expect(200);
    for _ in 0..2 {
        nobody.get(&path).await.error(404, "NOT_FOUND");
        owner.get(&path).await.expect(200);
    }
    assert_eq!(warm(&nobody, LIST).await["total"], before);
    owner.patch(&path, &json!({ "status": "published" })).await.expect(200);
    warm(&nobody, &path).await;
    owner.delete(&path).await.expect(200);
    for client in [&nobody, &owner, &admin] {
        client.get(&path).await.error(404, "NOT_FOUND");
    }
    owner.send(owner.request("POST", &format!("{path}/restore"))).await.expect(200);
    warm(&nobody, &path).await;
    let metrics = nobody.get("/metrics").await.text();
    assert!(metrics.contains(r#"cache_lookups_total{tier="memory",outcome="hit"}"#), "nothing came from the cache");
}

/// Every reader notes what was acknowledged before it began, and must not read less.
async fn readers_beside_a_writer_never_read_back_in_time(database: Database) {
    let server = cached(database).await;
    let owner = server.signed_in("seller").await;
    let product = shop::create(&owner, &shop::lamp()).await;
    let (path, acknowledged, done) =
        (shop::path(&product), Arc::new(tokio::sync::watch::Sender::new(0_u64)), Arc::new(AtomicBool::new(false)));
    let mut readers = JoinSet::new();
    for reader in 0..8 {
        let (client, path, seen, done) = (server.client(), path.clone(), acknowledged.subscribe(), Arc::clone(&done));
        readers.spawn(async move {
            let mut reads = 0_u32;
            while !done.load(Ordering::Relaxed) {
                let least = *seen.borrow();
                let read = if reader % 2 == 0 {
                    client.get(&path).await.expect(200).json()["stock"].clone()
                } else {
                    client.get(LIST).await.expect(200).json()["items"][0]["stock"].clone()
                };
                assert!(read.as_u64().unwrap() >= least, "read {read} after {least} was acknowledged");
                reads += 1;
            }
            reads
        });
    }
    for stock in 4..204_u64 {
        owner.patch(&path, &json!({ "stock": stock })).await.expect(200);
        acknowledged.send_replace(stock);
        // Now and then a rest, in which answers are kept.
        if stock % 10 == 0 {
            server.client().get(&path).await.expect(200);
        }
    }
    done.store(true, Ordering::Relaxed);
    let mut reads = 0;
    while let Some(read) = readers.join_next().await {
        reads += read.unwrap();
    }
    assert!(reads > 200, "only {reads} reads");
}

async fn many_who_ask_the_same_at_once_are_one_query(database: Database) {
    let said = [("SOUK__CACHE__MODE", "on"), ("SOUK__TELEMETRY__LEVEL", "info,souk::sql=debug")];
    let mut server = Server::prepared(database, &said);
    server.run().await;
    server.caching().await;
    let client = server.client();
    // A product of the demo that is told just now would make the answer old.
    server.settled().await;
    // Only a list with bounds on the price counts between them.
    let queries = || {
        server.log().lines().filter(|line| line.contains("souk::sql") && line.contains("price_minor BETWEEN")).count()
    };
    let bypassed = async || {
        let text = client.get("/metrics").await.text();
        let lines = text.lines().filter(|line| line.contains(r#"outcome="bypass""#));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    // A node that shares its cache and is too busy to make sure of it asks the database; then another price is asked for.
    for price in 777..787 {
        server.caching().await;
        let (before, from) = (queries(), bypassed().await);
        let mut callers = JoinSet::new();
        for _ in 0..1_000 {
            let (client, path) = (client.clone(), format!("/api/v1/products?minPrice=1&maxPrice={price}"));
            callers.spawn(async move { client.get(&path).await.expect(200).body });
        }
        let mut answers = callers.join_all().await;
        answers.dedup();
        assert_eq!(answers.len(), 1);
        if bypassed().await == from {
            assert_eq!(queries() - before, 1);
            return;
        }
    }
    panic!("nothing was served from the cache");
}

async fn a_command_beside_the_server_is_seen(database: Database) {
    let server = cached(database).await;
    let client = server.client();
    let before = warm(&client, LIST).await["total"].as_u64().unwrap();
    std::io::Write::write_all(
        &mut server.file("more.csv"),
        b"sku,name,description,price,stock\nBESIDE-1,Lamp from beside,Warm,4.50,2\n",
    )
    .unwrap();
    let done = server.command(&["import", "catalogue", "more.csv"]).status().unwrap();
    assert!(done.success(), "{}", server.log());
    let until = Instant::now() + Duration::from_secs(10);
    while warm(&client, LIST).await["total"] != before + 1 {
        assert!(Instant::now() < until, "the import is not seen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn a_list_that_did_not_change_is_not_sent_again(database: Database) {
    let server = cached(database).await;
    let (client, owner) = (server.client(), server.signed_in("seller").await);
    let read = client.get(LIST).await.expect(200);
    assert_eq!(read.header("cache-control"), "public, no-cache");
    assert_eq!(owner.get(LIST).await.header("cache-control"), "private, no-cache");
    let again = async || client.send(client.request("GET", LIST).header("If-None-Match", read.header("etag"))).await;
    let same = again().await.expect(304);
    assert_eq!((same.header("etag"), same.body.len()), (read.header("etag"), 0));
    shop::create(&owner, &shop::lamp()).await;
    again().await.expect(200);
}

async fn what_is_kept_compressed_says_so(database: Database) {
    let server = cached(database).await;
    let (client, owner) = (server.client(), server.signed_in("seller").await);
    let mut body = shop::lamp();
    // Long as it is, and very short when compressed.
    body["description"] = json!("Brass, ".repeat(140));
    let large = shop::path(&shop::create(&owner, &body).await);
    let small = shop::path(&shop::create(&owner, &shop::lamp()).await);
    for (path, compressed) in [(large.as_str(), true), (LIST, true), (small.as_str(), false)] {
        let plain = client.get(path).await.expect(200);
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        plain.json();
        for (accepted, coding) in [("gzip", "gzip"), ("br", "br"), ("gzip;q=0.5, br", "br"), ("identity", "")] {
            // Made, and then from the cache.
            for _ in 0..2 {
                let read =
                    client.send(client.request("GET", path).header("accept-encoding", accepted)).await.expect(200);
                let said = if compressed { coding } else { "" };
                assert_eq!(read.header("content-encoding"), said, "{path} for {accepted}");
                assert_eq!(read.body == plain.body, said.is_empty(), "{path} for {accepted}");
                assert_eq!(read.body.starts_with(&[0x1f, 0x8b]), said == "gzip");
                assert!(read.header("vary").to_lowercase().contains("accept-encoding"), "{path}: {:?}", read.headers);
                assert_eq!(read.header("etag"), plain.header("etag"));
            }
        }
    }
}
