//! The category tree and batches over HTTP.

use actix_web::test::TestRequest;
use domain::permission::Role;
use serde_json::json;

use crate::setup::Door;

#[actix_web::test]
async fn a_category_is_created_moved_read_and_deleted() {
    let door = Door::new();
    let admin = door.person(Role::Admin).await;
    let top = door.post("/api/v1/categories", &admin, &json!({ "name": "Lamps" })).await;
    assert_eq!(top.status, 201, "{}", top.text);
    let below = json!({ "name": "Desk", "parentId": top.json()["id"] });
    let below = door.post("/api/v1/categories", &admin, &below).await;
    let path = below.header("location").to_owned();
    let tag = door.get(&path).await.header("etag").to_owned();
    let change = |tag: &str| {
        let request = TestRequest::patch().uri(&path).insert_header(door.bearer(&admin));
        request.insert_header(("If-Match", tag)).set_json(json!({ "parentId": null, "rank": -1 }))
    };
    let moved = door.send(change(&tag)).await;
    assert_eq!((moved.status, moved.json()["parentId"].clone()), (200, json!(null)), "{}", moved.text);
    assert_eq!(door.send(change(&tag)).await.status, 412, "the tag is old by now");
    let tree = door.get("/api/v1/categories").await.json();
    let names: Vec<_> = tree["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["Desk", "Lamps"], "the lower rank stands first");
    let seller = door.seller().await;
    let body = json!({ "name": "Lamp", "price": 1, "categoryId": below.json()["id"] });
    assert_eq!(door.post("/api/v1/products", &seller, &body).await.status, 201);
    let delete = |query| TestRequest::delete().uri(&format!("{path}{query}")).insert_header(door.bearer(&admin));
    assert_eq!(door.send(delete("")).await.status, 409, "products are in it");
    assert_eq!(door.send(delete("?products=away")).await.broken(), ["query products enum"]);
    assert_eq!(door.send(delete("?products=moveUp")).await.json(), json!({ "success": true }));
    let refused = door.post("/api/v1/categories", &seller, &json!({ "name": "Mine" })).await;
    assert_eq!((refused.status, refused.json()["error"]["message"].clone()), (403, json!("Role admin required")));
}

#[actix_web::test]
async fn a_batch_tells_what_failed() {
    let door = Door::new();
    let (admin, seller) = (door.person(Role::Admin).await, door.seller().await);
    let product = door.fixtures.stored_product(seller.seller.unwrap(), |_| {}).await;
    let stranger = "0190f5fe-7c00-7a00-8000-0123456789ab";
    let body = json!({ "ids": [product.id, stranger], "discount": 12.5 });
    let done = door.post("/api/v1/products/batch-update", &admin, &body).await;
    assert_eq!((done.status, done.json()["updated"].clone()), (200, json!(1)), "{}", done.text);
    assert_eq!(done.json()["failed"][0]["id"], stranger);
    let read = door.get(&format!("/api/v1/products/{}", product.id)).await;
    assert!(read.text.contains("\"price\":8.75,"), "{}", read.text);
    let faults = door.post("/api/v1/products/batch-update", &admin, &json!({ "ids": ["x"], "discount": "1" })).await;
    assert_eq!(faults.broken(), ["body /ids/0 uuid", "body /discount number"]);
    assert_eq!(door.post("/api/v1/products/batch-update", &admin, &json!({})).await.broken(), ["body /ids required"]);
    assert_eq!(door.post("/api/v1/products/batch-update", &seller, &body).await.status, 403);
}
