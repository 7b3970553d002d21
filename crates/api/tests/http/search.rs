//! Search by meaning, and products like another, over HTTP.

use actix_web::test::TestRequest;
use domain::{
    Principal,
    catalog::{
        Product, ProductStatus,
        similar::{Keeping, follow, keep_vectors},
    },
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

async fn product(door: &Door, owner: &Principal, name: &str, status: ProductStatus) -> Product {
    let change = |product: &mut Product| {
        (product.name, product.description, product.status) = (name.to_owned(), String::new(), status);
    };
    door.fixtures.stored_product(owner.seller.unwrap(), change).await
}

/// Makes the vectors of all products.
async fn keep(door: &Door) {
    let reader = std::sync::Arc::new(door.store.clone());
    let keeping = Keeping {
        vectors: reader.clone(),
        feed: reader.clone(),
        products: reader.clone(),
        export: reader.clone(),
        categories: reader,
        embedder: door.services.finder.embedder.clone(),
    };
    while keep_vectors(&keeping).await.unwrap().more {}
    follow(&door.services.finder.index, &door.store).await.unwrap();
}

async fn read(door: &Door, path: &str, by: &Principal) -> Reply {
    door.send(TestRequest::get().uri(path).insert_header(door.bearer(by))).await
}

fn names(items: &Value, way: &str) -> Vec<String> {
    let name = |item: &Value| item.pointer(way).unwrap().as_str().unwrap().to_owned();
    items["items"].as_array().unwrap().iter().map(name).collect()
}

#[actix_web::test]
async fn products_are_found_by_words_and_by_meaning_as_far_as_the_caller_may_see_them() {
    let door = Door::new();
    let (owner, stranger) = (door.seller().await, door.seller().await);
    product(&door, &owner, "Red ship", ProductStatus::Published).await;
    product(&door, &owner, "Marble bust", ProductStatus::Published).await;
    product(&door, &owner, "Secret boat", ProductStatus::Draft).await;
    keep(&door).await;
    let found = door.get("/api/v1/products/search?q=boat").await;
    assert_eq!(found.status, 200, "{}", found.text);
    let body = found.json();
    assert_eq!((body["mode"].clone(), names(&body, "/product/name")), (json!("hybrid"), vec!["Red ship".to_owned()]));
    assert_eq!(body["items"][0]["hasWords"], json!(false));
    assert!(body["items"][0]["score"].as_f64().unwrap() > 0.5);
    let by_words = door.get("/api/v1/products/search?q=boat&mode=text").await.json();
    assert_eq!(by_words, json!({ "mode": "text", "items": [] }));
    let plain = door.get("/api/v1/products?search=boat").await.json();
    assert_eq!(plain["total"], json!(0), "lists mean what they meant");
    for caller in [&owner, &stranger] {
        let found = read(&door, "/api/v1/products/search?q=secret%20boat", caller).await.json();
        assert_eq!(names(&found, "/product/name"), ["Red ship"], "drafts are in no search");
    }
}

#[actix_web::test]
async fn similar_products_come_without_the_product_and_are_told_apart_by_tag() {
    let door = Door::new();
    let owner = door.seller().await;
    let ship = product(&door, &owner, "Red ship", ProductStatus::Published).await;
    let draft = product(&door, &owner, "Red ship draft", ProductStatus::Draft).await;
    let path = format!("/api/v1/products/{}/similar", ship.id);
    assert_eq!(door.get(&path).await.json(), json!({ "items": [] }), "before anything is known of it");
    product(&door, &owner, "Red boat", ProductStatus::Published).await;
    product(&door, &owner, "Red boat with sails", ProductStatus::Published).await;
    keep(&door).await;
    let found = door.get(&path).await;
    assert_eq!(names(&found.json(), "/name"), ["Red boat", "Red boat with sails"]);
    assert!(found.header("etag").starts_with('"') || found.header("etag").starts_with("W/"));
    assert_eq!(names(&door.get(&format!("{path}?limit=1")).await.json(), "/name"), ["Red boat"]);
    let of_draft = format!("/api/v1/products/{}/similar", draft.id);
    assert_eq!((door.get(&of_draft).await.status, read(&door, &of_draft, &owner).await.status), (404, 200));
}

#[actix_web::test]
async fn bad_questions_are_named() {
    let door = Door::new();
    let long = format!("/api/v1/products/search?q={}", "a".repeat(201));
    for (path, field) in [
        ("/api/v1/products/search", "q"),
        ("/api/v1/products/search?q=", "q"),
        (long.as_str(), "q"),
        ("/api/v1/products/search?q=a&mode=magic", "mode"),
        ("/api/v1/products/search?q=a&limit=101", "limit"),
        ("/api/v1/products/search?q=a&minPrice=3&maxPrice=2", "minPrice"),
        ("/api/v1/products/search?q=a&page=2", "page"),
        ("/api/v1/products/0190b1f4-0000-7000-8000-000000000000/similar?limit=51", "limit"),
    ] {
        let refused = door.get(path).await;
        assert_eq!(refused.status, 400, "{path}: {}", refused.text);
        assert!(refused.text.contains(&format!("\"{field}\"")), "{path}: {}", refused.text);
    }
}
