//! Files as people meet them: they outlive restarts and cuts, in a folder and in a bucket, and on every node.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use souk_e2e::{Bucket, Client, Cluster, Database, Reply, Server, bytes, on_each_database};

use crate::shop;

on_each_database!(
    a_file_outlives_a_restart,
    a_file_lies_in_a_bucket_and_moves,
    a_cut_upload_leaves_nothing,
    who_sends_nothing_is_let_go,
    a_slow_upload_outlasts_the_deadline_of_requests,
    what_is_broken_is_found,
    what_nobody_holds_is_swept,
    the_same_bytes_at_once_lie_once,
    a_store_that_is_away_is_told
);

/// Longer than any buffer on the way.
const LONG: usize = 20 * 1024 * 1024 + 7;

async fn bring(seller: &Client, product: &Value, query: &str, bytes: Vec<u8>) -> Reply {
    let path = format!("{}/files?{query}", shop::path(product));
    seller.send(seller.request("POST", &path).body(bytes)).await
}

/// Everything in a folder, at any depth, that is a file.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_in(&path)) } else { found.push(path) }
    }
    found
}

/// Looks until something is so.
async fn until(what: &str, server: &Server, so: impl AsyncFn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !so().await {
        assert!(Instant::now() < end, "{what} does not come to be:\n{}", server.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_file_outlives_a_restart(database: Database) {
    let mut server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let long = bytes(LONG, 1);
    let file = bring(&seller, &product, "name=long.bin", long.clone()).await.expect(201).json();
    let content = file["contentUrl"].as_str().unwrap().to_owned();
    assert!(seller.get(&content).await.expect(200).body == long);
    server.kill();
    server.run().await;
    let seller = server.signed_in("seller").await;
    let reply = seller.get(&content).await.expect(200);
    assert!(reply.body == long);
    let head = seller.send(seller.request("HEAD", &content)).await.expect(200);
    assert_eq!((head.header("content-length"), head.body.len()), (LONG.to_string().as_str(), 0));
    // A download that was cut goes on where it stopped.
    let tag = reply.header("etag").to_owned();
    let half = LONG / 2;
    let rest = seller.request("GET", &content).header("range", format!("bytes={half}-")).header("if-range", &tag);
    let rest = seller.send(rest).await.expect(206);
    assert_eq!(rest.header("content-range"), format!("bytes {half}-{}/{LONG}", LONG - 1));
    assert!(rest.body == long[half..]);
    server.client().get(&content).await.error(404, "NOT_FOUND");
    // Counted off the request path, so a little later; what waited when the process was killed is lost.
    let path = format!("/api/v1/files/{}", file["id"].as_str().unwrap());
    until("a count", &server, async || seller.get(&path).await.json()["downloads"].as_u64() >= Some(1)).await;
    seller.delete(&path).await.expect(200);
    seller.get(&content).await.error(404, "NOT_FOUND");
}

async fn a_file_lies_in_a_bucket_and_moves(database: Database) {
    let bucket = Bucket::fresh().await;
    let settings = [
        ("SOUK__BLOBS__BUCKET", bucket.name.as_str()),
        ("SOUK__BLOBS__ENDPOINT", bucket.url.as_str()),
        ("SOUK__BLOBS__PREFIX", "shops/one"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let mut server = Server::prepared(database, &settings).with("SOUK__BLOBS__STORE", "s3");
    server.run().await;
    let ready = server.client().get("/ready").await.expect(200).json();
    assert_eq!((&ready["files"], &ready["degraded"]), (&json!(true), &json!([])), "{ready}");
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let (long, short) = (bytes(LONG, 2), bytes(100, 3));
    let mut all = Vec::new();
    for bytes in [&long, &short] {
        let file = bring(&seller, &product, "name=a&visibility=public", bytes.clone()).await.expect(201).json();
        all.push((file["publicUrl"].as_str().unwrap().to_owned(), bytes.clone()));
    }
    for (path, bytes) in &all {
        assert!(server.client().get(path).await.expect(200).body == *bytes);
    }
    assert!(files_in(&server.folder().join("data/blobs")).is_empty());
    let (status, said) = server.run_command(&["assets", "verify"]);
    assert!(status.success() && said.contains("verified: 2 files"), "{said}");
    let (status, said) = server.run_command(&["assets", "migrate-store", "--to", "fs"]);
    assert!(status.success() && said.contains("copied: 2 files"), "{said}\n{}", server.log());
    let (status, said) = server.run_command(&["assets", "migrate-store", "--to", "fs"]);
    assert!(status.success() && said.contains("copied: 0 files, 0 bytes; 2 were there already"), "{said}");
    server.stop().await;
    let mut server = server.with("SOUK__BLOBS__STORE", "fs");
    server.run().await;
    for (path, bytes) in &all {
        assert!(server.client().get(path).await.expect(200).body == *bytes);
    }
}

/// Begins an upload of so many bytes by hand and sends some of them.
fn begun(server: &Server, seller: &Client, product: &Value, said: usize, sent: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(server.url().trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST {}/files?name=cut HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: {said}\r\n\r\n",
        shop::path(product),
        seller.token()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(sent).unwrap();
    socket
}

async fn a_cut_upload_leaves_nothing(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let staging = server.folder().join("data/blobs/staging");
    for sent in [10, 3 * 1024 * 1024] {
        let socket = begun(&server, &seller, &product, LONG, &bytes(sent, 4));
        until("a begun upload", &server, async || files_in(&staging).len() == 1).await;
        drop(socket);
        until("an empty folder", &server, async || files_in(&staging).is_empty()).await;
    }
    assert!(files_in(&server.folder().join("data/blobs/objects")).is_empty());
    let listed = seller.get(&format!("{}/files", shop::path(&product))).await.expect(200).json();
    assert_eq!(listed["total"], 0);
}

async fn who_sends_nothing_is_let_go(database: Database) {
    let mut server = Server::prepared(database, &[("SOUK__BLOBS__IDLE_SECONDS", "1")]);
    server.run().await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let mut socket = begun(&server, &seller, &product, LONG, b"some");
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let answer = tokio::task::spawn_blocking(move || {
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).map(|()| answer)
    });
    assert_eq!(&answer.await.unwrap().unwrap(), b"HTTP/1.1 408");
}

async fn a_slow_upload_outlasts_the_deadline_of_requests(database: Database) {
    let mut server = Server::prepared(database, &[("SOUK__HTTP__REQUEST_TIMEOUT_SECONDS", "1")]);
    server.run().await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let mut socket = begun(&server, &seller, &product, 5, b"");
    for byte in b"drips" {
        socket.write_all(&[*byte]).unwrap();
        // Together twice as long as any other request may take.
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 201");
}

async fn what_is_broken_is_found(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    for seed in 0..3 {
        bring(&seller, &product, "name=a", bytes(1000, 10 + seed)).await.expect(201);
    }
    let (status, said) = server.run_command(&["assets", "verify"]);
    assert!(status.success() && said == "verified: 3 files, 3000 bytes read\n", "{said}");
    let files = files_in(&server.folder().join("data/blobs/objects"));
    assert_eq!(files.len(), 3);
    let mut other = std::fs::read(&files[0]).unwrap();
    other[500] ^= 1;
    std::fs::write(&files[0], other).unwrap();
    std::fs::remove_file(&files[1]).unwrap();
    std::fs::write(&files[2], "short").unwrap();
    let (status, said) = server.run_command(&["assets", "verify"]);
    assert!(!status.success());
    for (file, what) in files.iter().zip(["has other bytes", "is not in the store", "has another length"]) {
        let line = format!("{}  {what}", file.file_name().unwrap().to_str().unwrap());
        assert!(said.lines().any(|said| said == line), "{line} in {said}");
    }
    let (_, said) = server.run_command(&["assets", "verify", "--quick"]);
    assert_eq!(said.lines().count(), 2, "{said}");
}

async fn what_nobody_holds_is_swept(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let admin = server.signed_in("admin").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let mut all = Vec::new();
    for seed in 0..2 {
        all.push(bring(&seller, &product, "name=a", bytes(1000, 20 + seed)).await.expect(201).json());
    }
    let objects = server.folder().join("data/blobs/objects");
    seller.delete(&format!("/api/v1/files/{}", all[0]["id"].as_str().unwrap())).await.expect(200);
    let (status, said) = server.run_command(&["assets", "gc"]);
    assert!(status.success() && said == "removed: 0 that nobody held, 0 unknown, 0 unfinished\n", "{said}");
    assert_eq!(files_in(&objects).len(), 2, "not before the grace");
    let tables = server.tables();
    tables.run("UPDATE blobs SET touched_at = '2020-01-02T03:04:05+00:00'");
    admin.post("/api/v1/schedules/sweep_files/run", &json!({})).await.expect(202);
    until("one file", &server, async || files_in(&objects).len() == 1).await;
    assert_eq!(tables.number("SELECT count(*) FROM blobs"), 1);
    seller.get(all[1]["contentUrl"].as_str().unwrap()).await.expect(200);
}

async fn the_same_bytes_at_once_lie_once(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let same = bytes(2 * 1024 * 1024, 30);
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (seller, product, same) = (seller.clone(), product.clone(), same.clone());
        running.spawn(async move { bring(&seller, &product, "name=a", same).await.expect(201).json() });
    }
    let all = running.join_all().await;
    let tables = server.tables();
    assert_eq!(files_in(&server.folder().join("data/blobs/objects")).len(), 1);
    assert_eq!(tables.number("SELECT refs FROM blobs"), 8);
    for file in &all {
        seller.delete(&format!("/api/v1/files/{}", file["id"].as_str().unwrap())).await.expect(200);
    }
    assert_eq!(tables.number("SELECT refs FROM blobs"), 0);
    assert_eq!(tables.number("SELECT sum(bytes) FROM storage_usage"), 0);
}

async fn a_store_that_is_away_is_told(database: Database) {
    let settings = [
        ("SOUK__BLOBS__STORE", "s3"),
        ("SOUK__BLOBS__BUCKET", "away"),
        // Nobody listens there.
        ("SOUK__BLOBS__ENDPOINT", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let mut server = Server::prepared(database, &settings);
    server.run().await;
    let ready = server.client().get("/ready").await.expect(200).json();
    assert_eq!((&ready["files"], &ready["degraded"]), (&json!(false), &json!(["files"])), "{ready}");
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    bring(&seller, &product, "name=a", bytes(10, 31)).await.error(503, "UNAVAILABLE");
    let listed = seller.get(&format!("{}/files", shop::path(&product))).await.expect(200).json();
    assert_eq!(listed["total"], 0);
}

/// Nodes that share a bucket and nothing else but the database.
#[tokio::test]
async fn every_node_gives_what_another_was_brought() {
    let bucket = Bucket::fresh().await;
    let settings = [
        ("SOUK__BLOBS__STORE", "s3"),
        ("SOUK__BLOBS__BUCKET", bucket.name.as_str()),
        ("SOUK__BLOBS__ENDPOINT", bucket.url.as_str()),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let nodes = Cluster::start(Database::postgres(), 2, &settings).await.nodes;
    let seller = nodes[0].signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let long = bytes(LONG, 8);
    let file = bring(&seller, &product, "name=a", long.clone()).await.expect(201).json();
    let there = seller.at(nodes[1].url());
    assert!(there.get(file["contentUrl"].as_str().unwrap()).await.expect(200).body == long);
    let path = format!("/api/v1/files/{}/links", file["id"].as_str().unwrap());
    let link = seller.post(&path, &json!({})).await.expect(200).json();
    let anybody = nodes[1].client();
    assert!(anybody.get(link["url"].as_str().unwrap()).await.expect(200).body == long, "a link of one holds on all");
    there.delete(&format!("/api/v1/files/{}", file["id"].as_str().unwrap())).await.expect(200);
    seller.get(file["contentUrl"].as_str().unwrap()).await.error(404, "NOT_FOUND");
}
