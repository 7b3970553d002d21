//! Webhooks that come in, and what operators see of them.

use actix_web::test::TestRequest;
use domain::{
    Principal,
    id::{HookEventId, JobId},
    inbound::{Finds, HandleHook, Place, Source, Sources, handle_hook},
    permission::Role,
    testing::PlainHooks,
};
use serde_json::{Value, json};
use souk_api::Hooks;

use crate::setup::{Door, Reply};

const MOST: usize = 200;

fn sources() -> Sources {
    let field = |pointer: &str| Some(Place::Field(pointer.to_owned()));
    let finds = Finds { id: field("/id"), kind: field("/type"), at: None };
    let verifier = std::sync::Arc::new(PlainHooks);
    Sources::new([Source { name: "shop".to_owned(), verifier, most: MOST, finds, handler: None }])
}

struct World {
    door: Door,
    admin: Principal,
}

impl World {
    async fn new() -> Self {
        let door = Door::with(|services| {
            services.hooks = Hooks { sources: sources(), queries: services.hooks.queries.clone() };
        });
        let admin = door.person(Role::Admin).await;
        Self { door, admin }
    }

    fn signed(&self, body: &[u8]) -> TestRequest {
        let headers = PlainHooks::headers("", body, self.door.fixtures.shop.now());
        let request = TestRequest::post().uri("/api/v1/hooks/shop").set_payload(body.to_vec());
        headers.into_iter().fold(request, TestRequest::insert_header)
    }

    async fn send(&self, body: &[u8]) -> Reply {
        self.door.send(self.signed(body)).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.door.send(TestRequest::get().uri(path).insert_header(self.door.bearer(&self.admin))).await
    }

    async fn total(&self) -> Value {
        self.get("/api/v1/hook-events").await.json()["total"].clone()
    }
}

#[actix_web::test]
async fn what_is_signed_is_taken_once_and_shown_to_operators() {
    let world = World::new().await;
    let body = br#"{"id":"evt_1", "type":"thing.done", "n":1.50}"#;
    let first = world.send(body).await;
    assert_eq!((first.status, &first.json()["known"]), (202, &json!(false)), "{}", first.text);
    let again = world.send(body).await;
    assert_eq!((again.status, &again.json()), (200, &json!({ "id": first.json()["id"], "known": true })));
    let path = format!("/api/v1/hook-events/{}", first.json()["id"].as_str().unwrap());
    let found = world.get(&path).await;
    let event = found.json();
    assert_eq!(
        (&event["source"], &event["eventId"], &event["type"]),
        (&json!("shop"), &json!("evt_1"), &json!("thing.done"))
    );
    assert_eq!((&event["state"], &event["body"]), (&json!("waiting"), &json!(std::str::from_utf8(body).unwrap())));
    assert_eq!((&event["bodyEncoding"], &event["size"]), (&json!("utf8"), &json!(body.len())));
    let known = TestRequest::get().uri(&path).insert_header(world.door.bearer(&world.admin));
    assert_eq!(world.door.send(known.insert_header(("If-None-Match", found.header("etag")))).await.status, 304);
    // What is no text is shown all the same.
    let odd = world.send(b"\xff\x00").await.json();
    let event = world.get(&format!("/api/v1/hook-events/{}", odd["id"].as_str().unwrap())).await.json();
    assert_eq!((&event["bodyEncoding"], &event["body"]), (&json!("base64"), &json!("/wA=")));
    for (query, total) in [
        ("", 2),
        ("?source=shop&state=waiting", 2),
        ("?type=thing.done", 1),
        ("?source=other", 0),
        ("?state=failed", 0),
        ("?page=2&limit=1", 2),
    ] {
        assert_eq!(world.get(&format!("/api/v1/hook-events{query}")).await.json()["total"], total, "{query}");
    }
    assert_eq!(world.get("/api/v1/hook-events").await.json()["items"][0]["body"], json!(null));
    assert_eq!(
        world.get("/api/v1/hook-events?state=lost&kind=a").await.broken(),
        ["query state enum", "query kind unknown"]
    );
    let nobody = world.door.fixtures.shop.id::<HookEventId>();
    assert_eq!(world.get(&format!("/api/v1/hook-events/{nobody}")).await.status, 404);
}

#[actix_web::test]
async fn what_is_not_believed_is_refused_with_the_reason_and_leaves_nothing() {
    let world = World::new().await;
    let body = br#"{"id":"evt_1"}"#;
    let now = world.door.fixtures.shop.now();
    let reason = |reply: &Reply| {
        assert_eq!(
            (reply.status, reply.code(), reply.header("www-authenticate")),
            (401, "UNAUTHORIZED".to_owned(), "Signature")
        );
        reply.json()["error"]["details"]["reason"].as_str().unwrap().to_owned()
    };
    let with = |headers: [(&'static str, String); 3], body: &[u8]| {
        let request = TestRequest::post().uri("/api/v1/hooks/shop").set_payload(body.to_vec());
        headers.into_iter().fold(request, TestRequest::insert_header)
    };
    let minutes = std::time::Duration::from_mins(6);
    for (headers, sent, expected) in [
        (PlainHooks::headers("", body, now), br#"{"id": "evt_1"}"#.as_slice(), "signature_wrong"),
        (PlainHooks::headers("", body, now - minutes), body.as_slice(), "signature_too_old"),
        (PlainHooks::headers("", body, now + minutes), body.as_slice(), "signature_too_early"),
    ] {
        assert_eq!(reason(&world.door.send(with(headers, sent)).await), expected);
    }
    let bare = TestRequest::post().uri("/api/v1/hooks/shop").set_payload(body.to_vec());
    let bare = world.door.send(bare).await;
    assert_eq!(reason(&bare), "signature_missing");
    assert!(bare.text.contains("plain-id"), "{}", bare.text);
    // Nobody signs in here: a token of the shop is no signature.
    let token = TestRequest::post().uri("/api/v1/hooks/shop").set_payload(body.to_vec());
    assert_eq!(
        reason(&world.door.send(token.insert_header(world.door.bearer(&world.admin))).await),
        "signature_missing"
    );
    assert_eq!(world.total().await, 0);
    assert!(world.door.store.events().iter().all(|event| !event.kind.starts_with("inbound.")));
}

#[actix_web::test]
async fn bodies_have_an_end_and_sources_are_known() {
    let world = World::new().await;
    assert_eq!(world.send(&[b' '; MOST]).await.status, 202);
    let large = world.send(&[b' '; MOST + 1]).await;
    assert_eq!((large.status, large.code()), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    // Who says so is refused before anything comes.
    let announced = world.signed(b"{}").insert_header(("content-length", (MOST + 1).to_string()));
    assert_eq!(world.door.send(announced).await.status, 413);
    for path in ["/api/v1/hooks/other", "/api/v1/hooks/SHOP", "/api/v1/hooks/..%2fshop"] {
        let unknown = world.door.send(TestRequest::post().uri(path).set_payload("{}")).await;
        assert_eq!((unknown.status, unknown.code()), (404, "NOT_FOUND".to_owned()), "{path}");
    }
    assert_eq!(world.door.get("/api/v1/hooks/shop").await.status, 405);
    assert_eq!(world.total().await, 1);
}

#[actix_web::test]
async fn what_was_handled_is_told_and_may_be_handled_again() {
    let world = World::new().await;
    let received = world.send(br#"{"id":"evt_1"}"#).await.json();
    let path = format!("/api/v1/hook-events/{}", received["id"].as_str().unwrap());
    let replay = async || world.door.post(&format!("{path}/replay"), &world.admin, &json!({})).await;
    assert_eq!(replay().await.status, 409, "it waits still");
    let handle = async || {
        let event = world.get(&path).await.json();
        let id = |name: &str| event[name].as_str().unwrap().parse().unwrap();
        let job = HandleHook { event: HookEventId(id("id")) };
        handle_hook(&world.door.fixtures.shop, &sources(), job, JobId(id("jobId"))).await.unwrap();
        world.get(&path).await.json()
    };
    let handled = handle().await;
    assert_eq!((&handled["state"], &handled["outcome"]), (&json!("ignored"), &json!("no_handler")));
    let again = replay().await;
    assert_eq!((again.status, &again.json()["state"], &again.json()["replays"]), (202, &json!("waiting"), &json!(1)));
    assert_ne!(again.json()["jobId"], handled["jobId"]);
    assert_eq!(handle().await["state"], "ignored");
}

#[actix_web::test]
async fn calls_are_counted_by_address() {
    let world = World::new().await;
    let reply = world.send(b"{}").await;
    assert!(reply.header("ratelimit-policy").contains("receive_hook"), "{:?}", reply.headers);
}
