//! Pictures over the real binary: uploaded, shown by every node, there after a restart, and made anew by other settings.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souk_e2e::{Client, Cluster, Database, Reply, Server, on_each_database};

use crate::shop;

on_each_database!(
    a_picture_is_shown_by_every_node_and_after_a_restart,
    other_settings_make_pictures_anew,
    uploads_at_once_all_count
);

/// A JPEG with Exif, comment and all, of 320 x 240 pixels.
pub(crate) const CAT: &[u8] = include_bytes!("../../../crates/media/tests/pictures/progressive_cat.jpg");

async fn upload(client: &Client, product: &Value, file: &'static [u8], kind: &str) -> Reply {
    let path = format!("{}/images", shop::path(product));
    client.send(client.request("POST", &path).header("Content-Type", kind).body(file)).await
}

async fn shown(client: &Client, url: &str, accept: &str) -> Reply {
    client.send(client.anonymous().request("GET", url).header("Accept", accept)).await
}

async fn a_picture_is_shown_by_every_node_and_after_a_restart(database: Database) {
    let several = matches!(database, Database::Postgres { .. });
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().to_str().unwrap();
    let settings = [("SOUK__BLOBS__PATH", files)];
    let mut cluster = Cluster::start(database, if several { 2 } else { 1 }, &settings).await;
    let seller = cluster.nodes[0].signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let made = upload(&seller, &product, CAT, "image/jpeg").await.expect(201).json();
    assert_eq!((&made["width"], &made["height"], &made["mimeType"]), (&json!(320), &json!(240), &json!("image/jpeg")));
    let (url, thumbnail) = (made["url"].as_str().unwrap(), made["thumbnailUrl"].as_str().unwrap());
    for node in &cluster.nodes {
        let client = node.client();
        let jpeg = shown(&client, url, "*/*").await.expect(200);
        assert_eq!((jpeg.header("content-type"), &jpeg.body[..3]), ("image/jpeg", &b"\xff\xd8\xff"[..]));
        assert!(!jpeg.body.windows(4).any(|window| window == b"Exif"), "metadata are shown");
        assert_eq!(json!(jpeg.body.len()), made["size"]);
        let webp = shown(&client, thumbnail, "image/webp").await.expect(200);
        assert_eq!((webp.header("content-type"), &webp.body[8..12]), ("image/webp", &b"WEBP"[..]));
        let listed = client.get(&shop::path(&product)).await.expect(200).json();
        assert_eq!(listed["images"].as_array().unwrap().last().unwrap()["url"], made["url"]);
    }
    // What is refused leaves nothing, and says why.
    for (file, kind) in [(&b"<svg onload=alert(1)>"[..], "image/png"), (&CAT[..CAT.len() - 100], "image/jpeg")] {
        let refused = upload(&seller, &product, file, kind).await;
        assert_eq!(refused.error(400, "VALIDATION_ERROR")["message"], "File must be an image");
    }
    cluster.nodes[0].kill();
    cluster.nodes[0].run().await;
    let client = cluster.nodes[0].client();
    shown(&client, url, "*/*").await.expect(200);
    let seller = cluster.nodes[0].signed_in("seller").await;
    let path = format!("{}/images/{}", shop::path(&product), made["id"].as_str().unwrap());
    seller.delete(&path).await.expect(200);
    for node in &cluster.nodes {
        shown(&node.client(), url, "*/*").await.error(404, "NOT_FOUND");
    }
}

async fn other_settings_make_pictures_anew(database: Database) {
    let mut server = Server::prepared(database, &[]);
    server.run().await;
    let seller = server.signed_in("seller").await;
    let product = shop::create(&seller, &shop::lamp()).await;
    let made = upload(&seller, &product, CAT, "image/jpeg").await.expect(201).json();
    let admin = server.signed_in("admin").await;
    server.stop().await;
    let mut server = server.with("SOUK__MEDIA__IMAGE_SIZE", "160");
    server.run().await;
    let admin = admin.at(server.url());
    admin.post("/api/v1/schedules/rerender/run", &json!({})).await.expect(202);
    let until = Instant::now() + Duration::from_secs(30);
    let after = loop {
        let product = admin.get(&shop::path(&product)).await.expect(200).json();
        let image = product["images"].as_array().unwrap().last().unwrap().clone();
        if image["width"] == 160 {
            assert_eq!(product["version"], json!(2), "nobody changed it");
            break image;
        }
        assert!(Instant::now() < until, "it was not made anew: {image}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((&after["id"], &after["height"]), (&made["id"], &json!(120)));
    assert_ne!(after["url"], made["url"], "another revision has another address");
    let client = server.client();
    let new = shown(&client, after["url"].as_str().unwrap(), "*/*").await.expect(200);
    let old = shown(&client, made["url"].as_str().unwrap(), "*/*").await.expect(200);
    assert_eq!(new.body, old.body, "an old address shows what there is");
    assert_eq!(
        (new.header("cache-control"), old.header("cache-control")),
        ("public, max-age=31536000, immutable", "public, no-cache")
    );
}

async fn uploads_at_once_all_count(database: Database) {
    let mut server = Server::prepared(database, &[]);
    server.run().await;
    let seller = server.signed_in("seller").await;
    let mut body = shop::lamp();
    body["images"] = json!([]);
    let product = shop::create(&seller, &body).await;
    let all = (0..12).map(|_| upload(&seller, &product, CAT, "application/octet-stream"));
    let mut statuses: Vec<u16> = futures_util::future::join_all(all).await.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [[201; 10].as_slice(), &[409; 2]].concat());
    let listed = seller.get(&format!("{}/images", shop::path(&product))).await.expect(200).json();
    assert_eq!(listed["total"], json!(10));
}
