//! What is not published is not seen: not in lists, totals, searches, slices, by id or by slug.

use serde_json::{Value, json};
use souk_e2e::{Client, Database, Server, on_each_database};

use crate::{document, shop};

on_each_database!(a_draft_is_seen_by_its_seller_only, everything_public_is_silent_about_a_draft);

async fn a_draft_is_seen_by_its_seller_only(database: Database) {
    let server = Server::start(database).await;
    let owner = server.signed_in("seller").await;
    let other = shop::seller(&server, "other@example.com").await;
    let (buyer, admin, nobody) = (server.signed_in("buyer").await, server.signed_in("admin").await, server.client());

    let mut body = shop::lamp();
    body["name"] = json!("Quixotic lamp");
    body["price"] = json!(123_456.78);
    let before = totals(&other, "").await;
    body["status"] = json!("draft");
    let draft = shop::create(&owner, &body).await;

    for stranger in [&other, &buyer, &nobody] {
        stranger.get(&shop::path(&draft)).await.error(404, "NOT_FOUND");
        stranger.get(&format!("{}/reviews", shop::path(&draft))).await.error(404, "NOT_FOUND");
        for query in ["search=quixotic", "minPrice=123456", "search=quixotic&status=draft", "status=draft"] {
            let reply = stranger.get(&format!("/api/v1/products?{query}")).await;
            // Asking for others' drafts may be refused; it must not be answered with them.
            assert!(matches!(reply.status, 200 | 400 | 401 | 403), "{}", reply.what);
            if reply.status == 200 {
                assert!(!reply.text().contains(id(&draft)), "{query}: {}", reply.text());
                assert_eq!(reply.json()["total"], 0, "{query}: the total tells of it: {}", reply.text());
            }
        }
    }
    assert_eq!(totals(&other, "").await, before, "the total of all products tells of a draft");
    for friend in [&owner, &admin] {
        friend.get(&shop::path(&draft)).await.expect(200);
    }
    let own = owner.get("/api/v1/products?search=quixotic&status=draft").await.expect(200);
    assert!(own.text().contains(id(&draft)), "{}", own.text());

    owner.patch(&shop::path(&draft), &json!({ "status": "published" })).await.expect(200);
    nobody.get(&shop::path(&draft)).await.expect(200);
    assert_eq!(totals(&nobody, "search=quixotic").await, 1);
    owner.patch(&shop::path(&draft), &json!({ "status": "archived" })).await.expect(200);
    assert_eq!(totals(&nobody, "search=quixotic").await, 0, "archived products leave the lists");
}

/// Walks every reading operation of the document as strangers who know the draft's id and slug.
async fn everything_public_is_silent_about_a_draft(database: Database) {
    let server = Server::start(database).await;
    let world = document::World::new(&server).await;
    let other = shop::seller(&server, "other@example.com").await;
    let (name, id) = (world.draft["name"].as_str().unwrap(), id(&world.draft));
    let mut read = 0;
    for operation in world.operations.iter().filter(|operation| operation.method == "GET") {
        for stranger in [server.client(), server.signed_in("buyer").await, other.clone()] {
            let mut path = world.path(operation);
            if operation.query.iter().any(|name| name == "limit") {
                path += "?limit=100";
            }
            let text = stranger.get(&path).await.text();
            assert!(!text.contains(name), "{} {path} shows the draft's name", operation.id);
            // An error may repeat the path that was asked for; an answer may not hold the id.
            assert!(path.contains(id) || !text.contains(id), "{} {path} shows the draft's id", operation.id);
            read += 1;
        }
    }
    assert!(read >= 15, "only {read} readings");
}

async fn totals(client: &Client, query: &str) -> u64 {
    client.get(&format!("/api/v1/products?{query}")).await.expect(200).json()["total"].as_u64().unwrap()
}

fn id(product: &Value) -> &str {
    product["id"].as_str().unwrap()
}
