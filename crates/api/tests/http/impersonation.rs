//! Operators over HTTP: the sessions of others, and acting as somebody else with all that must not work meanwhile.

use std::{collections::BTreeSet, time::Duration};

use actix_web::{http::Method, test::TestRequest};
use domain::{Principal, id::SessionId, permission::Role, shop::Rules};
use serde_json::{Value, json};
use souk_api::impersonated::{ALLOWED, REFUSED_READS};

use crate::setup::{Door, Reply};

const REASON: &str = "Ticket 4711 of somebody";

/// The token of a person who is signed in, with its session.
async fn signed_in(door: &Door, who: &Principal) -> (SessionId, String) {
    let session = door.fixtures.stored_session(who.user).await.id;
    let ends = door.fixtures.shop.now() + Duration::from_mins(5);
    (session, format!("plain.{}.{}.{session}", who.user, ends.timestamp_micros()))
}

async fn send(door: &Door, method: Method, path: &str, token: &str, body: Option<Value>) -> Reply {
    let mut request =
        TestRequest::default().method(method).uri(path).insert_header(("Authorization", format!("Bearer {token}")));
    if let Some(body) = body {
        request = request.set_json(body);
    }
    door.send(request).await
}

async fn act(door: &Door, token: &str, as_whom: &Principal) -> Reply {
    let path = format!("/api/v1/users/{}/impersonation", as_whom.user);
    send(door, Method::POST, &path, token, Some(json!({ "reason": REASON }))).await
}

fn token(reply: &Reply) -> String {
    assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"), "{}", reply.text);
    reply.json()["token"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn an_operator_lists_and_ends_the_sessions_of_others() {
    let door = Door::new();
    let (admin, ada, bob) =
        (door.person(Role::Admin).await, door.person(Role::User).await, door.person(Role::User).await);
    let (_, admins) = signed_in(&door, &admin).await;
    let ((first, hers), (_, second), (his, _)) =
        (signed_in(&door, &ada).await, signed_in(&door, &ada).await, signed_in(&door, &bob).await);
    let path = format!("/api/v1/users/{}/sessions", ada.user);
    let list = send(&door, Method::GET, &path, &admins, None).await;
    assert_eq!((list.status, list.header("cache-control")), (200, "no-store"), "{}", list.text);
    let list = list.json();
    // One beside those two stands for her tokens in other tests.
    assert_eq!((&list["total"], &list["items"][0]["device"]), (&json!(3), &json!("Firefox on Linux")));
    assert_eq!(list["items"][0]["actedBy"], Value::Null);
    let end = async |id: String| send(&door, Method::DELETE, &format!("{path}/{id}"), &admins, None).await;
    assert_eq!(end(first.to_string()).await.status, 200);
    assert_eq!(send(&door, Method::GET, "/api/v1/users/me", &hers, None).await.status, 401, "at once");
    assert_eq!(send(&door, Method::GET, "/api/v1/users/me", &second, None).await.status, 200);
    // One that is over, somebody else's and none at all are alike.
    for other in [first.to_string(), his.to_string(), "019f0000-0000-7000-8000-000000000000".to_owned()] {
        let missed = end(other).await;
        assert_eq!((missed.status, &missed.json()["error"]["message"]), (404, &json!("Session not found")));
    }
    assert_eq!(end("x".to_owned()).await.broken(), ["path sessionId uuid"]);
    assert_eq!(send(&door, Method::DELETE, &path, &admins, None).await.status, 200);
    assert_eq!(send(&door, Method::GET, "/api/v1/users/me", &second, None).await.status, 401);
    let nobody = "/api/v1/users/019f0000-0000-7000-8000-000000000000/sessions";
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(send(&door, method, nobody, &admins, None).await.status, 404);
    }
}

#[actix_web::test]
async fn acting_as_somebody_names_both_and_shows() {
    let door = Door::new();
    let (admin, ada) = (door.person(Role::Admin).await, door.person(Role::User).await);
    let ((_, admins), (_, hers)) = (signed_in(&door, &admin).await, signed_in(&door, &ada).await);
    let acting = token(&act(&door, &admins, &ada).await);
    let me = send(&door, Method::GET, "/api/v1/users/me", &acting, None).await.json();
    assert_eq!(me["id"], ada.user.to_string());
    let room = json!({ "name": "tea", "title": "Tea", "kind": "public" });
    let made = send(&door, Method::POST, "/api/v1/rooms", &acting, Some(room)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let audit = format!("/api/v1/audit?impersonatorId={}", admin.user);
    let found = send(&door, Method::GET, &audit, &admins, None).await.json();
    let entry = &found["items"][0];
    assert_eq!((&found["total"], &entry["action"]), (&json!(1), &json!("room.create")));
    assert_eq!((&entry["userId"], &entry["impersonatorId"]), (&json!(ada.user), &json!(admin.user)));
    // The person sees who it is and why.
    let list = send(&door, Method::GET, "/api/v1/sessions", &hers, None).await.json();
    let acted = list["items"].as_array().unwrap().iter().find(|one| one["actedBy"] != Value::Null).unwrap();
    assert_eq!(acted["actedBy"], json!({ "userId": admin.user, "reason": REASON }));
    let logs = serde_json::to_string(&(door.store.events(), door.store.audit_entries())).unwrap();
    assert!(!logs.contains(REASON), "a text of an operator may name people");
    // And ends it.
    let path = format!("/api/v1/sessions/{}", acted["id"].as_str().unwrap());
    assert_eq!(send(&door, Method::DELETE, &path, &hers, None).await.status, 200);
    assert_eq!(send(&door, Method::GET, "/api/v1/users/me", &acting, None).await.status, 401);
}

#[actix_web::test]
async fn a_ticket_of_who_acts_is_as_short_and_ends_with_it() {
    let door = Door::new();
    let (admin, ada) = (door.person(Role::Admin).await, door.person(Role::User).await);
    let (_, admins) = signed_in(&door, &admin).await;
    let acting = token(&act(&door, &admins, &ada).await);
    let ticket = async || {
        let made = send(&door, Method::POST, "/api/v1/events/tickets", &acting, None).await;
        let path = format!("/api/v1/events?topics=products&ticket={}", made.json()["ticket"].as_str().unwrap());
        (TestRequest::get().uri(&path), made.status)
    };
    let (late, made) = ticket().await;
    assert_eq!(made, 200);
    assert_eq!(send(&door, Method::POST, "/api/v1/auth/logout", &admins, None).await.status, 200);
    assert_eq!(door.send(late).await.status, 401);
    assert_eq!(send(&door, Method::GET, "/api/v1/users/me", &acting, None).await.status, 401);
}

#[actix_web::test]
async fn who_may_not_act_as_whom_is_told_why() {
    let door = Door::new();
    let (admin, ada, bob) =
        (door.person(Role::Admin).await, door.person(Role::User).await, door.person(Role::User).await);
    let ((_, admins), (_, hers)) = (signed_in(&door, &admin).await, signed_in(&door, &ada).await);
    let refused = act(&door, &hers, &bob).await;
    assert_eq!((refused.status, &refused.json()["error"]["message"]), (403, &json!("Role admin required")));
    assert_eq!(act(&door, &admins, &admin).await.status, 409);
    let path = format!("/api/v1/users/{}/impersonation", ada.user);
    for (body, broken) in [
        (json!({}), "body /reason required"),
        (json!({ "reason": "" }), "body /reason min_length"),
        (json!({ "reason": "a\nb" }), "body /reason control_character"),
        (json!({ "reason": "x", "minutes": 60 }), "body /minutes unknown"),
    ] {
        let refused = send(&door, Method::POST, &path, &admins, Some(body)).await;
        assert_eq!((refused.status, refused.broken()), (400, vec![broken.to_owned()]));
    }
    let banned = json!({ "reason": "Shouting" });
    let ban = format!("/api/v1/users/{}/ban", bob.user);
    assert_eq!(send(&door, Method::PUT, &ban, &admins, Some(banned)).await.status, 200);
    assert_eq!(act(&door, &admins, &bob).await.status, 409);
    let nobody = "/api/v1/users/019f0000-0000-7000-8000-000000000000/impersonation";
    assert_eq!(send(&door, Method::POST, nobody, &admins, Some(json!({ "reason": "x" }))).await.status, 404);
    let stopped = send(&door, Method::DELETE, "/api/v1/auth/impersonation", &hers, None).await;
    assert_eq!(stopped.status, 409, "{}", stopped.text);
}

/// Every operation there is, with the token of somebody who acts as an administrator, so that no permission stands in the way.
#[actix_web::test]
async fn whatever_changes_something_is_refused_or_on_the_list() {
    let door = Door::new();
    let (admin, other) = (door.person(Role::Admin).await, door.person(Role::Admin).await);
    let (_, admins) = signed_in(&door, &admin).await;
    let acting = token(&act(&door, &admins, &other).await);
    let document = serde_json::to_value(souk_api::openapi(&Rules::default())).unwrap();
    let (mut seen, mut refused) = (BTreeSet::new(), 0);
    let id = "0190f5fe-7c00-7a00-8000-0123456789ab";
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(name) = operation["operationId"].as_str() else { continue };
            let open = if method == "get" { !REFUSED_READS.contains(&name) } else { ALLOWED.contains(&name) };
            seen.insert(name.to_owned());
            if open && (method == "get" || name == "stop_impersonation") {
                continue;
            }
            let mut path = path.clone();
            while let Some((before, rest)) = path.clone().split_once('{') {
                let (parameter, after) = rest.split_once('}').unwrap();
                let value = if parameter.to_lowercase().ends_with("id") { id } else { "1" };
                path = format!("{before}{value}{after}");
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let reply = send(&door, method, &path, &acting, Some(json!({}))).await;
            let told = reply.status == 403 && reply.text.contains("Not while you act as somebody else");
            assert_eq!(told, !open, "{name}: {} {}", reply.status, reply.text);
            refused += u32::from(told);
        }
    }
    assert!(refused >= 30, "{refused}");
    for name in ALLOWED.iter().chain(&REFUSED_READS) {
        assert!(seen.contains(*name), "{name} is no operation");
        let secret = ["password", "email", "session", "key", "role", "invitation", "register", "login", "code", "user"];
        assert!(!secret.iter().any(|part| name.contains(part)), "{name} is for the person alone");
    }
    let entries = door.store.audit_entries().len();
    let stopped = send(&door, Method::DELETE, "/api/v1/auth/impersonation", &acting, None).await;
    assert_eq!(stopped.status, 200, "{}", stopped.text);
    assert_eq!(door.store.audit_entries()[entries].actor, Some(admin.user));
    assert_eq!(send(&door, Method::GET, "/api/v1/users/me", &acting, None).await.status, 401);
    assert_eq!(send(&door, Method::GET, "/api/v1/users/me", &admins, None).await.status, 200);
}

#[actix_web::test]
async fn a_page_with_cookies_finds_back_to_its_own_session() {
    let door = Door::new();
    let account = json!({ "email": "root@example.com", "password": "correct horse" });
    let up = door.send(TestRequest::post().uri("/api/v1/auth/register").set_json(&account)).await.json();
    let mut tx = door.fixtures.tx().await;
    let root = domain::id::UserId(up["id"].as_str().unwrap().parse().unwrap());
    tx.users().grant(root, Role::Admin, door.fixtures.shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    let ada = door.person(Role::User).await;
    let body = json!({ "email": "root@example.com", "password": "correct horse", "mode": "cookie" });
    let signed = door.send(TestRequest::post().uri("/api/v1/auth/login").set_json(body)).await;
    let csrf = signed.json()["csrfToken"].as_str().unwrap().to_owned();
    let jar = |reply: &Reply, name: &str| {
        let lines = reply.headers.get_all("set-cookie").map(|line| line.to_str().unwrap().to_owned());
        let mut found = lines.filter(|line| line.starts_with(&format!("{name}=")));
        found.next().map(|line| line.split(['=', ';']).nth(1).unwrap().to_owned())
    };
    let refresh = jar(&signed, "souk_refresh").unwrap();
    let call = async |method: Method, path: &str, session: &str, body: Option<Value>| {
        let cookies = format!("souk_session={session}; souk_refresh={refresh}; souk_csrf={csrf}");
        let request = TestRequest::default().method(method).uri(path).insert_header(("Cookie", cookies));
        let request = request.insert_header(("X-CSRF-Token", csrf.clone()));
        door.send(match body {
            Some(body) => request.set_json(body),
            None => request,
        })
        .await
    };
    let own = jar(&signed, "souk_session").unwrap();
    let path = format!("/api/v1/users/{}/impersonation", ada.user);
    let begun = call(Method::POST, &path, &own, Some(json!({ "reason": REASON }))).await;
    assert_eq!((begun.status, begun.json().get("token")), (200, None), "{}", begun.text);
    assert_eq!(jar(&begun, "souk_refresh"), None, "there is nothing to renew it with");
    let lent = jar(&begun, "souk_session").unwrap();
    let me = call(Method::GET, "/api/v1/users/me", &lent, None).await.json();
    assert_eq!(me["id"], ada.user.to_string());
    let stopped = call(Method::DELETE, "/api/v1/auth/impersonation", &lent, None).await;
    assert_eq!((stopped.status, jar(&stopped, "souk_session").as_deref()), (200, Some("")), "{}", stopped.text);
    let again = call(Method::POST, "/api/v1/auth/refresh", "", Some(json!({}))).await;
    assert_eq!((again.status, &again.json()["user"]["id"]), (200, &up["id"]), "{}", again.text);
}
