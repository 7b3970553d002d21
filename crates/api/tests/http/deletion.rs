//! Deleting oneself and others over HTTP.

use std::time::Duration;

use actix_web::{http::Method, test::TestRequest};
use domain::{Principal, permission::Role};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

const ME: &str = "/api/v1/users/me/deletion";

async fn send(door: &Door, method: Method, path: &str, by: &Principal, body: Option<Value>) -> Reply {
    call(door, method, path, door.bearer(by), body).await
}

async fn call(door: &Door, method: Method, path: &str, by: (&'static str, String), body: Option<Value>) -> Reply {
    let request = TestRequest::default().method(method).uri(path).insert_header(by);
    door.send(match body {
        Some(body) => request.set_json(body),
        None => request,
    })
    .await
}

#[actix_web::test]
async fn a_person_asks_for_it_thinks_again_and_is_told_when_it_comes() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    assert_eq!(send(&door, Method::GET, ME, &ada, None).await.status, 404);
    for (body, broken) in [
        (json!({ "currentPassword": 7 }), "body /currentPassword string"),
        (json!({ "currentPassword": "x", "userId": "y" }), "body /userId unknown"),
    ] {
        let refused = send(&door, Method::POST, ME, &ada, Some(body)).await;
        assert_eq!((refused.status, refused.broken()), (400, vec![broken.to_owned()]));
    }
    let wrong = send(&door, Method::POST, ME, &ada, Some(json!({ "currentPassword": "wrong" }))).await;
    assert_eq!((wrong.status, wrong.code()), (403, "FORBIDDEN".to_owned()));
    let asked = send(&door, Method::POST, ME, &ada, Some(json!({ "currentPassword": "correct horse" }))).await;
    let due = door.fixtures.shop.now() + Duration::from_hours(14 * 24);
    let due = serde_json::to_value(due).unwrap();
    assert_eq!((asked.status, &asked.json()["deletesAt"]), (202, &due), "{}", asked.text);
    assert_eq!(send(&door, Method::GET, ME, &ada, None).await.status, 401, "signed out everywhere");
    let session = door.fixtures.stored_session(ada.user).await.id;
    let ends = door.fixtures.shop.now() + Duration::from_mins(5);
    let again = ("Authorization", format!("Bearer plain.{}.{}.{session}", ada.user, ends.timestamp_micros()));
    let told = call(&door, Method::GET, ME, again.clone(), None).await;
    assert_eq!((told.status, told.json(), told.header("cache-control")), (200, asked.json(), "no-store"));
    assert_eq!(call(&door, Method::DELETE, ME, again.clone(), None).await.status, 200);
    assert_eq!(call(&door, Method::DELETE, ME, again, None).await.status, 404);
    let actions = door.store.traces().into_iter().map(|(action, _)| action);
    let traces: Vec<_> = actions.filter(|action| action.starts_with("user.")).collect();
    assert_eq!(traces, ["user.request_deletion", "user.withdraw_deletion"]);
}

#[actix_web::test]
async fn whoever_is_deleted_is_nobody_from_the_answer_on() {
    let door = Door::with(|services| services.settings.deletion_grace = Duration::ZERO);
    let (admin, ada, bob) =
        (door.person(Role::Admin).await, door.person(Role::User).await, door.person(Role::User).await);
    let path = |who: &Principal| format!("/api/v1/users/{}", who.user);
    let asked = send(&door, Method::POST, ME, &ada, Some(json!({ "currentPassword": "correct horse" }))).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    assert_eq!(send(&door, Method::GET, "/api/v1/users/me", &ada, None).await.status, 401);
    assert_eq!(send(&door, Method::DELETE, &path(&bob), &bob, None).await.status, 403);
    assert_eq!(send(&door, Method::DELETE, &path(&bob), &admin, None).await.status, 200);
    assert_eq!(send(&door, Method::GET, "/api/v1/users/me", &bob, None).await.status, 401);
    assert_eq!(send(&door, Method::DELETE, &path(&admin), &admin, None).await.status, 409);
    // Who is gone, and who never was, are alike.
    let nobody = "/api/v1/users/019f0000-0000-7000-8000-000000000000".to_owned();
    for gone in [path(&ada), path(&bob), nobody] {
        for method in [Method::GET, Method::DELETE] {
            let missed = send(&door, method, &gone, &admin, None).await;
            assert_eq!((missed.status, &missed.json()["error"]["message"]), (404, &json!("User not found")));
        }
    }
    let people = send(&door, Method::GET, "/api/v1/users", &admin, None).await.json();
    assert_eq!((&people["total"], &people["items"][0]["id"]), (&json!(1), &json!(admin.user)));
}
