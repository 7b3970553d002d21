//! The tools of the assistant over HTTP.

use actix_web::test::TestRequest;
use domain::{
    catalog::ProductStatus,
    permission::{Permission as _, Role, UseAssistant},
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

const CALLS: &str = "/api/v1/assistant/tools/calls";

fn lamp() -> Value {
    json!({ "name": "Reading lamp", "price": "19.95", "stock": 3 })
}

/// Which fields are faulted.
fn fields(reply: &Reply) -> Vec<String> {
    reply.broken().iter().map(|one| one.split(' ').nth(1).unwrap().to_owned()).collect()
}

async fn call(door: &Door, by: &domain::Principal, tool: &str, arguments: Value, word: Option<&str>) -> Reply {
    let mut body = json!({ "tool": tool, "arguments": arguments });
    if let Some(word) = word {
        body["confirmation"] = word.into();
    }
    door.post(CALLS, by, &body).await
}

#[actix_web::test]
async fn everybody_signed_in_is_told_of_their_tools() {
    let door = Door::new();
    let (seller, buyer) = (door.seller().await, door.person(Role::User).await);
    let told = async |by| {
        let request = TestRequest::get().uri("/api/v1/assistant/tools").insert_header(door.bearer(by));
        door.send(request).await.json()
    };
    let names = |told: &Value| told["items"].as_array().unwrap().len();
    let (of_seller, of_buyer) = (told(&seller).await, told(&buyer).await);
    assert_eq!((names(&of_seller), names(&of_buyer)), (5, 3));
    let search = &of_buyer["items"][0];
    assert_eq!((&search["name"], &search["writes"]), (&json!("search_products"), &json!(false)));
    assert_eq!(search["parameters"]["additionalProperties"], json!(false));
    assert_eq!(door.get("/api/v1/assistant/tools").await.status, 401);
    assert!(seller.permissions.has(UseAssistant::SET));
}

#[actix_web::test]
async fn a_draft_is_proposed_then_confirmed_and_seen_by_its_seller_alone() {
    let door = Door::new();
    let (seller, other) = (door.seller().await, door.seller().await);
    let proposed = call(&door, &seller, "draft_listing", lamp(), None).await;
    assert_eq!(proposed.status, 200, "{}", proposed.text);
    let proposed = proposed.json();
    assert_eq!((&proposed["outcome"], &proposed["result"]), (&json!("proposed"), &Value::Null));
    assert_eq!(door.store.traces(), []);
    let word = proposed["proposal"]["confirmation"].as_str().unwrap();
    let theirs = call(&door, &other, "draft_listing", lamp(), Some(word)).await;
    assert_eq!((theirs.status, fields(&theirs)), (400, vec!["/confirmation".to_owned()]));
    let made = call(&door, &seller, "draft_listing", lamp(), Some(word)).await.json();
    assert_eq!((&made["outcome"], &made["result"]["status"]), (&json!("done"), &json!("draft")));
    let again = call(&door, &seller, "draft_listing", lamp(), Some(word)).await.json();
    assert_eq!((again, door.store.traces().len()), (made.clone(), 1));
    let arguments = json!({ "productId": made["result"]["id"] });
    assert_eq!(call(&door, &other, "read_product", arguments.clone(), None).await.status, 404);
    assert_eq!(call(&door, &seller, "read_product", arguments, None).await.status, 200);
}

#[actix_web::test]
async fn faults_name_the_fields_of_this_door() {
    let door = Door::new();
    let (seller, buyer) = (door.seller().await, door.person(Role::User).await);
    let broken = call(&door, &seller, "search_products", json!({ "query": "", "colour": "red" }), None).await;
    assert_eq!((broken.status, fields(&broken)), (400, vec!["/arguments/query".into(), "/arguments/colour".into()]));
    for (body, field) in [
        (json!({}), "/tool"),
        (json!({ "tool": "drop_tables" }), "/tool"),
        (json!({ "tool": "search_products", "arguments": [] }), "/arguments"),
        (json!({ "tool": "search_products", "arguments": {}, "confirmation": "yes" }), "/confirmation"),
        (json!({ "tool": "search_products", "arguments": {}, "by": "me" }), "/by"),
    ] {
        let broken = door.post(CALLS, &seller, &body).await;
        assert_eq!((broken.status, fields(&broken)), (400, vec![field.to_owned()]), "{}", broken.text);
    }
    assert_eq!(call(&door, &buyer, "draft_listing", lamp(), None).await.status, 403);
    let hidden = door.fixtures.stored_product(seller.seller.unwrap(), |one| one.status = ProductStatus::Draft).await;
    let hidden = json!({ "productId": hidden.id });
    assert_eq!(call(&door, &buyer, "list_similar_products", hidden, None).await.status, 404);
}
