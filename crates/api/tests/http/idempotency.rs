//! A command sent twice.

use actix_web::test::TestRequest;
use domain::Principal;
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

async fn create(door: &Door, by: &Principal, key: &str, body: &Value) -> Reply {
    let request = TestRequest::post().uri("/api/v1/products").insert_header(door.bearer(by));
    door.send(request.insert_header(("Idempotency-Key", key)).set_json(body)).await
}

#[actix_web::test]
async fn the_effect_is_had_once_and_the_answer_twice() {
    let door = Door::new();
    let seller = door.seller().await;
    let body = json!({ "name": "Lamp", "price": 19.95 });
    let first = create(&door, &seller, "k-1", &body).await;
    let second = create(&door, &seller, "k-1", &body).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, ""));
    assert_eq!((second.status, second.header("idempotency-replayed")), (201, "true"));
    assert_eq!((second.text.as_str(), second.header("location")), (first.text.as_str(), first.header("location")));
    assert_eq!(door.get("/api/v1/products").await.json()["total"], 1);
}

#[actix_web::test]
async fn another_body_under_the_same_key_is_refused_and_another_person_is_free() {
    let door = Door::new();
    let (ada, bob) = (door.seller().await, door.seller().await);
    create(&door, &ada, "k-1", &json!({ "name": "Lamp", "price": 1 })).await;
    let other = json!({ "name": "Lamp", "price": 2 });
    let refused = create(&door, &ada, "k-1", &other).await;
    assert_eq!((refused.status, refused.code()), (422, "UNPROCESSABLE".to_owned()));
    assert_eq!(create(&door, &bob, "k-1", &other).await.status, 201);
}

#[actix_web::test]
async fn a_refusal_decided_by_the_command_is_kept_and_a_broken_rule_is_not() {
    let door = Door::new();
    let seller = door.seller().await;
    let lamp = json!({ "name": "Lamp", "price": 1, "sku": "L-1" });
    let product = create(&door, &seller, "k-0", &lamp).await;
    let taken = create(&door, &seller, "k-1", &lamp).await;
    assert_eq!(taken.status, 409);
    let path = product.header("location");
    let deleted = door.send(TestRequest::delete().uri(path).insert_header(door.bearer(&seller))).await;
    assert_eq!(deleted.status, 200);
    let replayed = create(&door, &seller, "k-1", &lamp).await;
    assert_eq!((replayed.status, replayed.header("idempotency-replayed")), (409, "true"), "the refusal was kept");
    let (told, again) = (taken.json()["error"].clone(), replayed.json()["error"].clone());
    assert_eq!((&again["code"], &again["message"]), (&told["code"], &told["message"]));
    assert_eq!(again["requestId"], replayed.header("x-request-id"), "the id is that of the present request");
    let request = TestRequest::post().uri("/api/v1/products").insert_header(door.bearer(&seller)).set_json(&lamp);
    let request = request.insert_header(("Idempotency-Key", "k-1"));
    let other = door.send(request.insert_header(("Accept", "application/problem+json"))).await;
    assert_eq!((other.status, other.header("content-type")), (409, "application/problem+json"));
    assert_eq!((&other.json()["detail"], &other.json()["status"]), (&told["message"], &json!(409)));
    assert_eq!(create(&door, &seller, "k-2", &json!({ "name": "Lamp" })).await.status, 400);
    assert_eq!(create(&door, &seller, "k-2", &lamp).await.status, 201, "a broken rule keeps nothing");
}

#[actix_web::test]
async fn a_key_must_be_visible_ascii() {
    let door = Door::new();
    let seller = door.seller().await;
    for key in ["", "a b", &"k".repeat(256)] {
        let refused = create(&door, &seller, key, &json!({ "name": "Lamp", "price": 1 })).await;
        assert_eq!(refused.broken(), ["header Idempotency-Key key"], "{key:?}");
    }
}
