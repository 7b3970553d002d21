//! Sessions over HTTP: who may end which, what cookies are good for, and what nobody is believed by.

use std::time::Duration;

use actix_web::test::TestRequest;
use domain::permission::Role;
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

async fn registered(door: &Door) {
    let account = json!({ "email": "ada@example.com", "password": "correct horse" });
    let up = door.send(TestRequest::post().uri("/api/v1/auth/register").set_json(&account)).await;
    assert_eq!(up.status, 201, "{}", up.text);
}

async fn login(door: &Door, mode: &str) -> Reply {
    let body = json!({ "email": "ada@example.com", "password": "correct horse", "mode": mode });
    let request = TestRequest::post().uri("/api/auth/login").insert_header(("User-Agent", "curl/8.1"));
    door.send(request.set_json(body)).await
}

fn bearer(answer: &Value) -> (&'static str, String) {
    ("Authorization", format!("Bearer {}", answer["token"].as_str().unwrap()))
}

#[actix_web::test]
async fn a_person_sees_their_sessions_and_ends_them() {
    let door = Door::new();
    registered(&door).await;
    let (one, two) = (login(&door, "bearer").await.json(), login(&door, "bearer").await.json());
    let list = door.send(TestRequest::get().uri("/api/v1/sessions").insert_header(bearer(&one))).await;
    assert_eq!((list.status, list.header("cache-control")), (200, "no-store"), "{}", list.text);
    let items = list.json()["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 2);
    for item in &items {
        assert_eq!((&item["device"], item["current"] == true), (&json!("curl"), item["id"] == one["sessionId"]));
    }
    let path = format!("/api/v1/sessions/{}", two["sessionId"].as_str().unwrap());
    let end = || TestRequest::delete().uri(&path).insert_header(bearer(&one));
    assert_eq!(door.send(end()).await.status, 200);
    let refused = door.send(TestRequest::get().uri("/api/v1/users/me").insert_header(bearer(&two))).await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer error=\"invalid_token\""));
    assert_eq!(door.send(end()).await.status, 404);
    let bad = TestRequest::delete().uri("/api/v1/sessions?except=all").insert_header(bearer(&one));
    assert_eq!(door.send(bad).await.broken(), ["query except enum"]);
}

#[actix_web::test]
async fn anothers_session_is_as_good_as_none() {
    let door = Door::new();
    let (ada, bob) = (door.person(Role::User).await, door.person(Role::Admin).await);
    let his = door.fixtures.stored_session(bob.user).await.id.to_string();
    let nowhere = "019f0000-0000-7000-8000-000000000000";
    let mut bodies = Vec::new();
    for id in [his.as_str(), nowhere] {
        let request = TestRequest::delete().uri(&format!("/api/v1/sessions/{id}"));
        let refused = door.send(request.insert_header(door.bearer(&ada)).insert_header(("X-Request-Id", "same"))).await;
        assert_eq!(refused.status, 404);
        bodies.push(refused.text);
    }
    assert_eq!(bodies[0], bodies[1]);
    let list = door.send(TestRequest::get().uri("/api/v1/sessions").insert_header(door.bearer(&ada))).await;
    assert!(!list.text.contains(&his));
}

#[actix_web::test]
async fn a_refresh_needs_a_token_and_says_nothing_of_why_one_does_not_hold() {
    let door = Door::new();
    registered(&door).await;
    let signed = login(&door, "bearer").await.json();
    let refresh = async |body: Value| door.send(TestRequest::post().uri("/api/v1/auth/refresh").set_json(body)).await;
    assert_eq!(refresh(json!({})).await.broken(), ["body /refreshToken required"]);
    assert_eq!(refresh(json!({ "refreshToken": "x", "sessionId": "y" })).await.broken(), ["body /sessionId unknown"]);
    let (token, access) = (signed["refreshToken"].as_str().unwrap(), signed["token"].as_str().unwrap());
    let mut bodies = std::collections::BTreeSet::new();
    for bad in ["x", access, "souk_rt_", &token[..token.len() - 1]] {
        let request = TestRequest::post().uri("/api/v1/auth/refresh").insert_header(("X-Request-Id", "same"));
        let refused = door.send(request.set_json(json!({ "refreshToken": bad }))).await;
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer error=\"invalid_token\""));
        bodies.insert(refused.text);
    }
    assert_eq!(bodies.len(), 1);
    let next = refresh(json!({ "refreshToken": token })).await;
    assert_eq!((next.status, next.header("cache-control")), (200, "no-store"), "{}", next.text);
    assert_ne!(next.json()["refreshToken"], signed["refreshToken"]);
    // And a refresh token opens no door.
    let me = TestRequest::get().uri("/api/v1/users/me").insert_header(("Authorization", format!("Bearer {token}")));
    assert_eq!(door.send(me).await.status, 401);
}

#[actix_web::test]
async fn cookies_over_https_are_bound_to_the_host_and_hidden_from_scripts() {
    let door = Door::with(|services| services.settings.https = true);
    registered(&door).await;
    let signed = login(&door, "cookie").await;
    assert_eq!(signed.status, 200, "{}", signed.text);
    let lines: Vec<&str> = signed.headers.get_all("set-cookie").map(|line| line.to_str().unwrap()).collect();
    assert_eq!(lines.len(), 3);
    for (line, name) in lines.iter().zip(["__Host-souk_session=", "__Host-souk_refresh=", "__Host-souk_csrf="]) {
        assert!(
            line.starts_with(name) && line.contains("; Path=/; ") && line.contains("; Secure; SameSite=Lax"),
            "{line}"
        );
        assert!(!line.contains("Domain"), "{line}");
        assert_eq!(line.contains("; HttpOnly"), name != "__Host-souk_csrf=", "{line}");
    }
    // Without the prefix it is no cookie of ours there.
    let token = lines[0].split(['=', ';']).nth(1).unwrap();
    for (name, status) in [("__Host-souk_session", 200), ("souk_session", 401)] {
        let me = TestRequest::get().uri("/api/v1/users/me").insert_header(("Cookie", format!("{name}={token}")));
        assert_eq!(door.send(me).await.status, status, "{name}");
    }
}

#[actix_web::test]
async fn a_change_by_cookie_needs_origin_and_token_and_a_bearer_needs_neither() {
    let door = Door::with(|services| services.settings.allowed_origins = vec!["https://shop.example".to_owned()]);
    registered(&door).await;
    let signed = login(&door, "cookie").await;
    let csrf = signed.json()["csrfToken"].as_str().unwrap().to_owned();
    let jar: Vec<&str> =
        signed.headers.get_all("set-cookie").map(|line| line.to_str().unwrap().split(';').next().unwrap()).collect();
    let jar = jar.join("; ");
    let open = || TestRequest::post().uri("/api/v1/sellers").set_json(json!({ "name": "Lamps" }));
    let by_cookie = || open().insert_header(("Cookie", jar.as_str()));
    let (good, evil) = (("Origin", "https://shop.example"), ("Origin", "https://evil.example"));
    let token = || ("X-CSRF-Token", csrf.as_str());
    for forged in [
        by_cookie(),
        by_cookie().insert_header(good),
        by_cookie().insert_header(evil).insert_header(token()),
        by_cookie().insert_header(("Origin", "null")).insert_header(token()),
        by_cookie().insert_header(("Sec-Fetch-Site", "cross-site")).insert_header(token()),
        by_cookie().insert_header(good).insert_header(("X-CSRF-Token", "0".repeat(64))),
    ] {
        let refused = door.send(forged).await;
        assert_eq!((refused.status, refused.code()), (403, "FORBIDDEN".to_owned()), "{}", refused.text);
    }
    // A public route answers as to anybody, and tells nobody that the token is bad.
    let list = TestRequest::get().uri("/api/v1/products").insert_header(("Cookie", jar.as_str())).insert_header(evil);
    let list = door.send(list).await;
    assert_eq!((list.status, list.header("www-authenticate")), (200, ""));
    let drafts = TestRequest::get().uri("/api/v1/products?status=draft").insert_header(("Cookie", jar.as_str()));
    assert_eq!(door.send(drafts.insert_header(evil)).await.status, 403);
    let done = door.send(by_cookie().insert_header(good).insert_header(token())).await;
    assert_eq!(done.status, 201, "{}", done.text);
    let answer = login(&door, "bearer").await.json();
    let again = open().insert_header(bearer(&answer)).insert_header(evil).insert_header(("Cookie", jar.as_str()));
    let again = door.send(again).await;
    assert_eq!((again.status, again.code()), (409, "CONFLICT".to_owned()), "it went past the walls: {}", again.text);
}

#[actix_web::test]
async fn without_news_of_the_log_protected_routes_are_unavailable_and_public_ones_go_on() {
    let door = Door::new();
    let ada = door.person(Role::Admin).await;
    let by = |request: TestRequest| request.insert_header(door.bearer(&ada));
    assert_eq!(door.send(by(TestRequest::get().uri("/api/v1/users/me"))).await.status, 200);
    door.fixtures.clock.advance(Duration::from_secs(31));
    for path in ["/api/v1/users/me", "/api/v1/audit", "/api/v1/products?status=draft", "/api/v1/events?topics=products"]
    {
        let refused = door.send(by(TestRequest::get().uri(path))).await;
        assert_eq!((refused.status, refused.header("retry-after")), (503, "2"), "{path}: {}", refused.text);
        assert_eq!(refused.header("www-authenticate"), "", "{path}");
    }
    let list = door.send(by(TestRequest::get().uri("/api/v1/products"))).await;
    assert_eq!((list.status, list.header("www-authenticate")), (200, ""));
    let nobody = door.get("/api/v1/users/me").await;
    assert_eq!(nobody.status, 401, "who sent nothing is nobody, known or not");
    door.services.known.heard(door.fixtures.shop.now());
    assert_eq!(door.send(by(TestRequest::get().uri("/api/v1/users/me"))).await.status, 200);
}
