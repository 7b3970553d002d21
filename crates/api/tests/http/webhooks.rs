//! Webhooks over HTTP, and what must not work.

use std::sync::{Arc, Mutex};

use actix_web::{http::Method, test::TestRequest};
use async_trait::async_trait;
use domain::{
    Principal,
    bus::{Bus, Fanout, Subscription},
    permission::Role,
    webhooks::QUEUED,
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

const ALL: &str = "/api/v1/webhooks/endpoints";

async fn send(door: &Door, method: Method, path: &str, by: &Principal, body: Option<Value>) -> Reply {
    let mut request = TestRequest::default().method(method).uri(path).insert_header(door.bearer(by));
    if let Some(body) = body {
        request = request.set_json(body);
    }
    door.send(request).await
}

async fn made(door: &Door, by: &Principal, body: Value) -> Value {
    let made = door.post(ALL, by, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()
}

fn path(endpoint: &Value) -> String {
    format!("{ALL}/{}", endpoint["id"].as_str().unwrap())
}

#[actix_web::test]
async fn an_endpoint_is_made_read_changed_tested_and_deleted() {
    let door = Door::new();
    let (ada, bob) = (door.person(Role::User).await, door.person(Role::User).await);
    let body = json!({
        "url": "https://example.com/hook", "description": "Robot", "eventTypes": ["product.updated"], "channels": ["products"],
        "payload": "thin", "ordering": "thing", "callsPerMinute": 60,
    });
    let reply = door.post(ALL, &ada, &body).await;
    assert_eq!((reply.status, reply.header("cache-control")), (201, "no-store"), "{}", reply.text);
    let one = reply.json();
    assert_eq!(reply.header("location"), path(&one));
    let secret = one["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("hmac-sha256-"), "{secret}");
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&one[field], value, "{field}");
    }
    assert_eq!((&one["owner"], &one["enabled"], &one["sellerId"]), (&json!("person"), &json!(true), &Value::Null));

    let read = send(&door, Method::GET, &path(&one), &ada, None).await;
    assert_eq!(read.json()["url"], one["url"]);
    assert!(!read.text.contains(&secret), "it is shown once");
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(send(&door, method, &path(&one), &bob, None).await.status, 404);
    }
    let theirs = send(&door, Method::GET, ALL, &bob, None).await.json();
    assert_eq!(theirs["total"], 0);
    assert_eq!(send(&door, Method::GET, ALL, &ada, None).await.json()["items"][0]["id"], one["id"]);

    let off =
        send(&door, Method::PATCH, &path(&one), &ada, Some(json!({ "enabled": false, "callsPerMinute": 0 }))).await;
    let off = off.json();
    assert_eq!((&off["enabled"], &off["disabledReason"]), (&json!(false), &json!("owner")), "{off}");
    assert_eq!(off["callsPerMinute"], Value::Null);
    let test = format!("{}/test", path(&one));
    assert_eq!(door.post(&test, &ada, &json!({})).await.status, 409);
    send(&door, Method::PATCH, &path(&one), &ada, Some(json!({ "enabled": true }))).await;
    let queued = door.post(&test, &ada, &json!({ "eventType": "product.created" })).await;
    assert_eq!(queued.status, 202, "{}", queued.text);
    let id = queued.json()["messageId"].as_str().unwrap().to_owned();

    let messages = format!("{}/messages", path(&one));
    let listed = send(&door, Method::GET, &format!("{messages}?state=waiting"), &ada, None).await.json();
    assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &json!(id)));
    let message = send(&door, Method::GET, &format!("{messages}/{id}"), &ada, None).await.json();
    assert_eq!(
        (&message["eventType"], &message["body"]["type"]),
        (&json!("product.created"), &json!("product.created"))
    );
    assert_eq!(message["body"]["data"]["entity"]["type"], "product", "it is thin");
    assert_eq!(message["webhookId"], format!("msg_{}", id.replace('-', "")));
    assert_eq!(send(&door, Method::GET, &format!("{messages}/{id}/attempts"), &ada, None).await.json()["total"], 0);
    assert_eq!(send(&door, Method::POST, &format!("{messages}/{id}/resend"), &ada, None).await.status, 409);
    let stats = send(&door, Method::GET, &format!("{}/stats", path(&one)), &ada, None).await.json();
    assert_eq!((&stats["open"], &stats["attemptsLastDay"]), (&json!(1), &json!(0)));
    let recovered =
        door.post(&format!("{}/recover", path(&one)), &ada, &json!({ "since": door.fixtures.shop.now() })).await;
    assert_eq!((recovered.status, &recovered.json()["messages"]), (202, &json!(0)), "{}", recovered.text);
    for other in ["messages", "stats", "secret"] {
        assert_eq!(
            send(&door, Method::GET, &format!("{}/{other}", path(&one)), &bob, None).await.status,
            404,
            "{other}"
        );
    }

    let shown = send(&door, Method::GET, &format!("{}/secret", path(&one)), &ada, None).await;
    assert_eq!((&shown.json()["secret"], shown.header("cache-control")), (&json!(secret), "no-store"));
    let rotate = format!("{}/secret/rotate", path(&one));
    let rotated = door.post(&rotate, &ada, &json!({ "algorithm": "ed25519" })).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    assert!(rotated.json()["secret"].as_str().unwrap().starts_with("ed25519-"));

    assert_eq!(send(&door, Method::DELETE, &path(&one), &ada, None).await.status, 200);
    assert_eq!(send(&door, Method::GET, &path(&one), &ada, None).await.status, 404);
    let told = serde_json::to_string(&(door.store.events(), door.store.audit_entries())).unwrap();
    assert!(!told.contains("example.com") && !told.contains(&secret), "{told}");
}

#[actix_web::test]
async fn a_repeated_request_makes_one_endpoint_and_shows_no_secret() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    let body = json!({ "url": "https://example.com" });
    let send = async || {
        let request = TestRequest::post().uri(ALL).insert_header(door.bearer(&ada));
        door.send(request.insert_header(("Idempotency-Key", "one")).set_json(&body)).await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.json()["id"], second.json()["id"]);
    assert!(first.json()["secret"].is_string() && second.json()["secret"].is_null());
}

#[actix_web::test]
async fn bad_addresses_and_fields_are_refused_by_name() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    for (body, broken) in [
        (json!({}), "body /url required"),
        (json!({ "url": "ftp://example.com" }), "body /url url"),
        (json!({ "url": "http://127.0.0.1/" }), "body /url url"),
        (json!({ "url": "https://a:b@example.com" }), "body /url url"),
        (json!({ "url": "https://example.com", "eventTypes": ["*"] }), "body /eventTypes/0 enum"),
        (json!({ "url": "https://example.com", "channels": ["rooms"] }), "body /channels/0 channel"),
        (json!({ "url": "https://example.com", "payload": "huge" }), "body /payload enum"),
        (json!({ "url": "https://example.com", "callsPerMinute": 1_000_001 }), "body /callsPerMinute range"),
        (json!({ "url": "https://example.com", "secret": "mine" }), "body /secret unknown"),
        (json!({ "url": "https://example.com", "shop": true, "sellerId": ada.user.0 }), "body /shop one_owner"),
        (json!({ "url": "https://example.com", "eventTypes": ["user.created"] }), "body /eventTypes not_for_owner"),
    ] {
        let reply = door.post(ALL, &ada, &body).await;
        assert_eq!((reply.status, reply.broken()), (400, vec![broken.to_owned()]), "{body}: {}", reply.text);
    }
    for (query, status) in [("?shop=true", 403), ("?shop=maybe", 400), ("?colour=red", 400), ("?page=0", 400)] {
        assert_eq!(send(&door, Method::GET, &format!("{ALL}{query}"), &ada, None).await.status, status, "{query}");
    }
    let one = made(&door, &ada, json!({ "url": "https://example.com" })).await;
    for (query, status) in [("?state=lost", 400), ("?eventType=nothing", 400), ("?state=failed", 200)] {
        let path = format!("{}/messages{query}", path(&one));
        assert_eq!(send(&door, Method::GET, &path, &ada, None).await.status, status, "{query}");
    }
    let recover = format!("{}/recover", path(&one));
    for since in ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
        let reply = door.post(&recover, &ada, &json!({ "since": since })).await;
        assert_eq!((reply.status, reply.broken()), (400, vec!["body /since range".to_owned()]), "{}", reply.text);
    }
}

#[actix_web::test]
async fn seller_accounts_and_the_shop_have_endpoints_of_their_own() {
    let door = Door::new();
    let (ada, bob, admin) = (door.seller().await, door.person(Role::User).await, door.person(Role::Admin).await);
    let seller = ada.seller.unwrap().0;
    let body = json!({ "url": "https://example.com", "sellerId": seller });
    assert_eq!(door.post(ALL, &bob, &body).await.status, 404);
    let theirs = made(&door, &ada, body).await;
    assert_eq!((&theirs["owner"], &theirs["sellerId"]), (&json!("seller"), &json!(seller)));
    let of_seller = format!("{ALL}?sellerId={seller}");
    assert_eq!(send(&door, Method::GET, &of_seller, &ada, None).await.json()["total"], 1);
    assert_eq!(send(&door, Method::GET, &of_seller, &bob, None).await.status, 404);
    let body = json!({ "url": "https://example.com", "shop": true, "eventTypes": ["user.created"] });
    assert_eq!(door.post(ALL, &ada, &body).await.status, 403);
    let whole = made(&door, &admin, body).await;
    assert_eq!(whole["owner"], "shop");
    assert_eq!(send(&door, Method::GET, &path(&whole), &ada, None).await.status, 404);
    assert_eq!(send(&door, Method::GET, &format!("{ALL}?shop=true"), &admin, None).await.json()["total"], 1);
    let mut status = 201;
    for _ in 0..3 {
        status = door.post(ALL, &ada, &json!({ "url": "https://example.com", "sellerId": seller })).await.status;
    }
    assert_eq!(status, 409, "there is an end");
}

#[actix_web::test]
async fn the_catalogue_shows_bodies_that_keep_their_schemas() {
    let door = Door::new();
    let catalogue = door.get("/api/v1/webhooks/event-types").await.json();
    let items = catalogue["items"].as_array().unwrap();
    assert_eq!(items.len(), domain::webhooks::EventType::ALL.len());
    for item in items {
        let name = item["type"].as_str().unwrap();
        for (schema, example) in [("fullSchema", "fullExample"), ("thinSchema", "thinExample")] {
            let (schema, example) = (&item[schema], &item[example]);
            assert_eq!((&example["type"], &schema["properties"]["type"]["const"]), (&json!(name), &json!(name)));
            keeps(schema, schema, example, name);
        }
        assert!(!item.to_string().contains("#/components"), "{name} refers to another document");
    }
    let of = |name: &str| items.iter().find(|item| item["type"] == name).unwrap();
    assert_eq!(of("user.created")["owners"], json!(["shop"]));
    assert_eq!(of("product.created")["owners"], json!(["person", "seller", "shop"]));
}

/// Whether every field is known to the schema, and none that is required is missing.
fn keeps(schema: &Value, root: &Value, value: &Value, place: &str) {
    if let Some(to) = schema["$ref"].as_str() {
        let to = root.pointer(to.trim_start_matches('#')).unwrap_or_else(|| panic!("{place}: {to}"));
        return keeps(to, root, value, place);
    }
    let Some(properties) = schema["properties"].as_object() else { return };
    let fields = value.as_object().unwrap_or_else(|| panic!("{place} is no object"));
    for required in schema["required"].as_array().into_iter().flatten() {
        assert!(fields.contains_key(required.as_str().unwrap()), "{place} lacks {required}");
    }
    for (name, value) in fields {
        let known = properties.get(name).unwrap_or_else(|| panic!("{place}: {name} is not in the schema"));
        if value.is_object() {
            keeps(known, root, value, &format!("{place}.{name}"));
        }
    }
}

/// A bus that notes what is published.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

#[async_trait]
impl Bus for Notes {
    fn publish(&self, topic: &str, _: &[u8]) {
        self.0.lock().unwrap().push(topic.to_owned());
    }
    async fn subscribe(&self, topics: &[&str]) -> Subscription {
        Fanout::default().subscribe(topics)
    }
}

#[actix_web::test]
async fn what_somebody_asks_for_is_not_left_to_the_next_look() {
    let notes = Arc::new(Notes::default());
    let door = Door::with(|services| services.bus = notes.clone());
    let ada = door.person(Role::User).await;
    let one = made(&door, &ada, json!({ "url": "https://example.com/hook" })).await;
    let queued = || notes.0.lock().unwrap().drain(..).filter(|topic| topic == QUEUED).count();
    assert_eq!(queued(), 0);
    let test = door.post(&format!("{}/test", path(&one)), &ada, &json!({})).await;
    assert_eq!((test.status, queued()), (202, 1));
    // Off, what waits is given up, and can be sent again.
    for enabled in [false, true] {
        send(&door, Method::PATCH, &path(&one), &ada, Some(json!({ "enabled": enabled }))).await;
    }
    let message = test.json()["messageId"].as_str().unwrap().to_owned();
    let resend = format!("{}/messages/{message}/resend", path(&one));
    assert_eq!((door.post(&resend, &ada, &json!({})).await.status, queued()), (202, 1));
    let since = json!({ "since": door.fixtures.shop.now() });
    assert_eq!((door.post(&format!("{}/recover", path(&one)), &ada, &since).await.status, queued()), (202, 1));
    assert_eq!((door.post(&resend, &ada, &json!({})).await.status, queued()), (409, 0), "it waits already");
}
