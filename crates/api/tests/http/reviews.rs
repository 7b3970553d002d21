//! Reviews over HTTP.

use actix_web::test::TestRequest;
use domain::{catalog::ProductStatus, permission::Role};
use serde_json::json;

use crate::setup::Door;

#[actix_web::test]
async fn a_review_counts_until_it_is_hidden() {
    let door = Door::new();
    let (seller, buyer, admin) = (door.seller().await, door.person(Role::User).await, door.person(Role::Admin).await);
    let product = door.fixtures.stored_product(seller.seller.unwrap(), |_| {}).await;
    let (path, list) = (format!("/api/v1/products/{}", product.id), format!("/api/v1/products/{}/reviews", product.id));
    let review = door.post(&list, &buyer, &json!({ "stars": 4, "comment": "Bright" })).await;
    assert_eq!(review.status, 201, "{}", review.text);
    assert_eq!(door.post(&list, &buyer, &json!({ "stars": 5 })).await.status, 409, "one per person");
    assert_eq!(door.post(&list, &seller, &json!({ "stars": 5 })).await.status, 403, "not of one's own product");
    assert_eq!(door.post(&list, &buyer, &json!({ "stars": 6 })).await.broken(), ["body /stars range"]);
    let read = door.get(&path).await;
    assert_eq!(read.json()["rating"], json!({ "average": 4.0, "count": 1 }));
    assert_eq!(read.json()["reviews"][0]["comment"], "Bright");
    let own = review.header("location").to_owned();
    let change = TestRequest::patch().uri(&own).insert_header(door.bearer(&buyer)).set_json(json!({ "stars": 2 }));
    assert_eq!(door.send(change).await.json()["stars"], 2);
    let hide = TestRequest::put().uri(&format!("{own}/moderation")).set_json(json!({ "hidden": true }));
    assert_eq!(door.send(hide.insert_header(door.bearer(&admin))).await.json()["hidden"], true);
    assert_eq!(door.get(&list).await.json()["total"], 0);
    assert_eq!(door.get(&own).await.status, 404, "hidden from strangers");
    let mine = TestRequest::get().uri(&own).insert_header(door.bearer(&buyer));
    assert_eq!(door.send(mine).await.status, 200, "its author still sees it");
    let gone = TestRequest::delete().uri(&own).insert_header(door.bearer(&buyer));
    assert_eq!(door.send(gone).await.json(), json!({ "success": true }));
}

#[actix_web::test]
async fn reviews_of_a_draft_are_not_for_strangers() {
    let door = Door::new();
    let seller = door.seller().await;
    let draft = door.fixtures.stored_product(seller.seller.unwrap(), |p| p.status = ProductStatus::Draft).await;
    let list = format!("/api/v1/products/{}/reviews", draft.id);
    assert_eq!(door.get(&list).await.status, 404);
    assert_eq!(door.send(TestRequest::get().uri(&list).insert_header(door.bearer(&seller))).await.status, 200);
}
