//! A product from its making to its end.

use serde_json::{Value, json};
use souk_e2e::{Client, Database, Server, on_each_database};

use crate::shop;

on_each_database!(
    a_product_is_made_read_changed_and_deleted,
    a_lost_update_is_refused,
    pages_and_cursors_show_every_product_once,
    nonsense_in_a_list_is_refused,
    one_key_makes_one_product,
    a_search_finds_words_and_prefixes,
);

async fn a_product_is_made_read_changed_and_deleted(database: Database) {
    let server = Server::start(database).await;
    let (seller, anyone) = (server.signed_in("seller").await, server.client());

    let made = seller.post("/api/v1/products", &shop::lamp()).await.expect(201);
    let product = made.json();
    assert!(made.header("location").ends_with(&shop::path(&product)), "{}", made.header("location"));
    assert!(!made.header("etag").is_empty());
    for (field, value) in shop::lamp().as_object().unwrap().iter().filter(|(field, _)| *field != "images") {
        assert_eq!(&product[field], value, "{field}");
    }
    assert_eq!((&product["version"], &product["slug"]), (&json!(1), &json!("brass-lamp")));
    assert_eq!(product["images"][0]["url"], "https://images.example/lamp.jpg");

    let read = anyone.get(&shop::path(&product)).await.expect(200);
    assert_eq!(read.json()["name"], product["name"]);
    let unchanged =
        anyone.send(anyone.request("GET", &shop::path(&product)).header("If-None-Match", read.header("etag")));
    unchanged.await.expect(304);

    let patch = json!({ "name": "Copper lamp", "price": 25.5 });
    let changed = seller.patch(&shop::path(&product), &patch).await.expect(200).json();
    assert_eq!(
        (&changed["name"], &changed["price"], &changed["version"]),
        (&patch["name"], &patch["price"], &json!(2))
    );
    assert_eq!(changed["description"], product["description"], "what a patch does not name stays");

    let listed = ids(&anyone.get("/api/v1/products?limit=100&search=copper").await.expect(200).json());
    assert!(listed.contains(&id(&product)), "{listed:?}");

    let deleted = seller.delete(&shop::path(&product)).await.expect(200).json();
    assert_eq!(deleted, json!({ "success": true }));
    anyone.get(&shop::path(&product)).await.error(404, "NOT_FOUND");
    seller.delete(&shop::path(&product)).await.error(404, "NOT_FOUND");
    let listed = ids(&anyone.get("/api/v1/products?limit=100&search=copper").await.expect(200).json());
    assert!(!listed.contains(&id(&product)), "{listed:?}");
}

async fn a_lost_update_is_refused(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let made = seller.post("/api/v1/products", &shop::lamp()).await.expect(201);
    let path = shop::path(&made.json());
    seller.patch(&path, &json!({ "name": "Second name" })).await.expect(200);

    let stale = seller.patch(&path, &json!({ "name": "Third name", "version": 1 })).await;
    assert_eq!(stale.error(409, "CONFLICT")["message"], "Product was modified by another user");
    let request = seller.request("PATCH", &path).header("If-Match", made.header("etag"));
    let stale = seller.send(request.json(&json!({ "name": "Third name" }))).await;
    assert_eq!(stale.status, 412, "{}", stale.text());
    assert_eq!(seller.get(&path).await.expect(200).json()["name"], "Second name");
}

async fn pages_and_cursors_show_every_product_once(database: Database) {
    let server = Server::start(database).await;
    let (seller, anyone) = (server.signed_in("seller").await, server.client());
    let mut made = Vec::new();
    for i in 0..7 {
        let mut body = shop::lamp();
        body["name"] = json!(format!("Zebrawood stool {i}"));
        // Equal prices, so that only the id orders some of them.
        body["price"] = json!(10 + i / 3);
        made.push(id(&shop::create(&seller, &body).await));
    }
    made.sort();

    let mut paged = Vec::new();
    for page in 1..=4 {
        let path = format!("/api/v1/products?search=zebrawood&sortBy=price&sortOrder=asc&limit=2&page={page}");
        let answer = anyone.get(&path).await.expect(200).json();
        assert_eq!((&answer["total"], &answer["pages"], &answer["page"]), (&json!(7), &json!(4), &json!(page)));
        paged.extend(ids(&answer));
    }
    paged.sort();
    assert_eq!(paged, made);

    let mut sliced = Vec::new();
    let mut cursor = String::new();
    loop {
        let query = [("search", "zebrawood"), ("sortBy", "price"), ("limit", "2"), ("cursor", cursor.as_str())];
        let answer = anyone.get_with("/api/v1/products", &query).await.expect(200).json();
        sliced.extend(ids(&answer));
        match answer["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
        assert!(sliced.len() <= made.len(), "the cursor goes in circles");
    }
    sliced.sort();
    assert_eq!(sliced, made);
}

async fn nonsense_in_a_list_is_refused(database: Database) {
    let server = Server::start(database).await;
    let client = server.client();
    for (name, value) in [
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "1000000"),
        ("limit", "ten"),
        ("page", "0"),
        ("cursor", "garbage"),
        ("sortBy", "colour"),
        ("sortOrder", "up"),
        ("minPrice", "cheap"),
        ("categoryId", "lamps"),
        ("colour", "red"),
    ] {
        let reply = client.get_with("/api/v1/products", &[(name, value)]).await;
        reply.error(400, "VALIDATION_ERROR");
        assert!(reply.names(name), "{name}={value}: {}", reply.text());
    }
}

async fn one_key_makes_one_product(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let send = async |client: &Client, body: Value| {
        client.send(client.request("POST", "/api/v1/products").header("Idempotency-Key", "key-1").json(&body)).await
    };
    let first = send(&seller, shop::lamp()).await.expect(201);
    let again = send(&seller, shop::lamp()).await.expect(201);
    assert_eq!(again.json()["id"], first.json()["id"]);
    let mut other = shop::lamp();
    other["price"] = json!(1);
    assert_eq!(send(&seller, other).await.status, 422);
    let admin = server.signed_in("admin").await;
    assert_ne!(send(&admin, shop::lamp()).await.json()["id"], first.json()["id"], "a key is its sender's own");
}

async fn a_search_finds_words_and_prefixes(database: Database) {
    let server = Server::start(database).await;
    let (seller, anyone) = (server.signed_in("seller").await, server.client());
    let mut body = shop::lamp();
    body["name"] = json!("Café-Stuhl für Zwei");
    body["description"] = json!("Buchenholz, geölt");
    let stool = id(&shop::create(&seller, &body).await);
    for (search, found) in [
        ("cafe", true),
        ("CAFÉ stuh", true),
        ("geolt", true),
        ("stuhl zwe", true),
        ("stuh zwei", false),
        ("buchenholz metall", false),
        ("%", false),
        ("' OR 1=1 --", false),
    ] {
        let answer =
            anyone.get_with("/api/v1/products", &[("search", search), ("limit", "100")]).await.expect(200).json();
        assert_eq!(ids(&answer).contains(&stool), found, "{search}: {answer}");
    }
}

/// The id of a product.
fn id(product: &Value) -> String {
    product["id"].as_str().unwrap().to_owned()
}

/// The ids of a list.
fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(id).collect()
}
