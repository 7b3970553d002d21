//! Rooms over HTTP.

use actix_web::test::TestRequest;
use domain::{Principal, permission::Role};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

async fn made(door: &Door, by: &Principal, body: &Value) -> Reply {
    door.post("/api/v1/rooms", by, body).await
}

#[actix_web::test]
async fn a_room_is_made_once_read_changed_and_deleted() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    let body = json!({ "name": "lamps", "title": "Lamps", "kind": "private" });
    let request = || {
        let request = TestRequest::post().uri("/api/v1/rooms").insert_header(door.bearer(&ada));
        request.insert_header(("Idempotency-Key", "k-1")).set_json(&body)
    };
    let first = door.send(request()).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let again = door.send(request()).await;
    assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &first.text));
    assert_eq!((made(&door, &ada, &body).await.status, first.json()["version"].as_i64()), (409, Some(1)));

    let path = first.header("location").to_owned();
    let get = async |tag: &str| {
        let request = TestRequest::get().uri(&path).insert_header(door.bearer(&ada));
        door.send(request.insert_header(("If-None-Match", tag))).await
    };
    let read = get("\"none\"").await;
    let json = read.json();
    assert_eq!((&json["role"], &json["memberCount"], &json["kind"]), (&json!("owner"), &json!(0), &json!("private")));
    assert_eq!(get(read.header("etag")).await.status, 304);

    let change = async |tag: &str, body: &Value| {
        let request = TestRequest::patch().uri(&path).insert_header(door.bearer(&ada));
        door.send(request.insert_header(("If-Match", tag)).set_json(body)).await
    };
    let changed = change(first.header("etag"), &json!({ "title": "Lights" })).await;
    assert_eq!((changed.status, &changed.json()["title"]), (200, &json!("Lights")));
    assert_eq!(change(first.header("etag"), &json!({ "title": "Late" })).await.status, 412);
    let null = change("*", &json!({ "title": null, "colour": 1 })).await;
    assert_eq!(null.broken(), ["body /title null", "body /colour unknown"]);

    let delete = async |tag: &str| {
        let request = TestRequest::delete().uri(&path).insert_header(door.bearer(&ada));
        door.send(request.insert_header(("If-Match", tag))).await.status
    };
    assert_eq!(
        (delete(first.header("etag")).await, delete(changed.header("etag")).await, delete("*").await),
        (412, 200, 404)
    );
}

#[actix_web::test]
async fn every_fault_of_a_room_is_told() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    let bad = made(&door, &ada, &json!({ "name": "No Name", "title": "", "kind": "open", "x": 1 })).await;
    let told = ["body /kind enum", "body /name room_name", "body /title min_length", "body /x unknown"];
    let mut broken = bad.broken();
    broken.sort();
    assert_eq!(broken, told);
    let id = made(&door, &ada, &json!({ "name": "lamps" })).await.json()["id"].as_str().unwrap().to_owned();
    let ban = format!("/api/v1/rooms/{id}/bans/{}", door.person(Role::User).await.user);
    for (until, rule) in [("soon", "date_time"), ("2020-01-01T00:00:00Z", "future")] {
        let request = TestRequest::put().uri(&ban).insert_header(door.bearer(&ada));
        let refused = door.send(request.set_json(json!({ "until": until }))).await;
        assert_eq!(refused.broken(), [format!("body /until {rule}")]);
    }
    for (path, broken) in [
        (format!("/api/v1/rooms/{id}/messages?after=1&before=2"), "query before exclusive"),
        (format!("/api/v1/rooms/{id}/messages?after=-1"), "query after number"),
        (format!("/api/v1/rooms/{id}/messages?limit=0"), "query limit range"),
    ] {
        assert_eq!(door.get(&path).await.broken(), [broken], "{path}");
    }
    let request = TestRequest::delete().uri(&format!("/api/v1/rooms/{id}/messages/0")).insert_header(door.bearer(&ada));
    assert_eq!(door.send(request).await.broken(), ["path offset range"]);
}

#[actix_web::test]
async fn a_socket_is_opened_by_who_asks_for_one() {
    let door = Door::new();
    let plain = door.get("/ws").await;
    assert_eq!((plain.status, plain.header("upgrade")), (426, "websocket"));
    let upgrade = || {
        let request = TestRequest::get().uri("/api/v1/ws").insert_header(("Upgrade", "websocket"));
        request.insert_header(("Connection", "Upgrade"))
    };
    let elsewhere = door.send(upgrade().insert_header(("Origin", "https://evil.example"))).await;
    assert_eq!((elsewhere.status, elsewhere.code()), (403, "FORBIDDEN".to_owned()));
    let bad = door.send(upgrade().insert_header(("Authorization", "Bearer nonsense"))).await;
    assert_eq!((bad.status, bad.header("www-authenticate")), (401, "Bearer error=\"invalid_token\""));
    assert_eq!(door.send(upgrade()).await.status, 400, "without a key it is no handshake");
}
