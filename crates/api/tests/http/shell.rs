//! The layers: their order and what each adds.

use std::time::Duration;

use actix_web::test::TestRequest;
use domain::{limit::Policy, permission::Role};
use serde_json::json;
use souk_api::{LimitRule, LimitScope};

use crate::setup::Door;

const ORIGIN: &str = "https://shop.example";

#[actix_web::test]
async fn the_layers_stand_in_their_order() {
    let minute = Duration::from_mins(1);
    let door = Door::with(|services| {
        services.settings.allowed_origins = vec![ORIGIN.to_owned()];
        services.settings.limits = vec![
            LimitRule::operation("get_health", LimitScope::Address, 0, minute),
            LimitRule::operation("get_me", LimitScope::Actor, 0, minute),
        ];
    });
    // The address limit refuses before a token is looked at; its refusal went through every layer outside of it.
    let request = TestRequest::get().uri("/health").insert_header(("Authorization", "Bearer bad"));
    let refused = door.send(request.insert_header(("Origin", ORIGIN))).await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (429, ""), "limit by address before auth");
    assert!(!refused.header("x-request-id").is_empty(), "request id");
    assert!(refused.header("server-timing").starts_with("total;dur="), "log");
    assert_eq!(refused.header("x-content-type-options"), "nosniff", "security headers");
    assert_eq!(refused.header("access-control-allow-origin"), ORIGIN, "cors");
    assert_eq!(refused.header("retry-after"), "2");
    // The actor limit refuses right after the actor is known, before the handler's 401.
    let request = TestRequest::get().uri("/api/v1/users/me").insert_header(("Authorization", "Bearer bad"));
    assert_eq!(door.send(request).await.status, 429, "limit by actor before the handler");
    let admin = door.person(Role::Admin).await;
    let request = TestRequest::get().uri("/api/v1/users/me").insert_header(door.bearer(&admin));
    assert_eq!(door.send(request).await.status, 200, "auth before the limit by actor: administrators are not counted");
    // A preflight is answered by CORS, outside of the limits.
    let preflight = TestRequest::default().method(actix_web::http::Method::OPTIONS).uri("/health");
    let preflight = preflight.insert_header(("Origin", ORIGIN)).insert_header(("Access-Control-Request-Method", "GET"));
    let preflight = door.send(preflight).await;
    assert_eq!((preflight.status, preflight.header("access-control-max-age")), (200, "86400"));
    assert_eq!(preflight.header("x-content-type-options"), "nosniff", "security headers outside of CORS");
}

#[actix_web::test]
async fn an_unknown_origin_gets_no_permission() {
    let door = Door::with(|services| services.settings.allowed_origins = vec![ORIGIN.to_owned()]);
    let request = TestRequest::get().uri("/health").insert_header(("Origin", "https://evil.example"));
    let answer = door.send(request).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, ""));
    let own = door.get("/health").await;
    assert_eq!((own.status, own.header("access-control-expose-headers")), (200, ""), "no page of others asks");
    assert!(own.header("vary").contains("origin"), "a cache must not give it to one that does");
}

#[actix_web::test]
async fn a_limit_is_told_in_both_forms_and_refuses_with_429() {
    let policy = few(Duration::ZERO);
    let door = Door::with(|services| {
        let applies_to = vec!["list_products".to_owned()];
        services.settings.limits = vec![LimitRule { applies_to, scope: LimitScope::Actor, policy }];
    });
    let first = door.get("/api/v1/products").await;
    assert_eq!((first.header("ratelimit"), first.header("ratelimit-policy")), ("\"few\";r=1;t=60", "\"few\";q=2;w=60"));
    assert_eq!((first.header("ratelimit-limit"), first.header("ratelimit-remaining")), ("2", "1"));
    door.get("/api/v1/products").await;
    let refused = door.get("/api/v1/products").await;
    assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (429, "RATE_LIMITED".to_owned(), "2"));
    assert_eq!(refused.json()["error"]["message"], "Too many requests");
    let seller = door.seller().await;
    let own = TestRequest::get().uri("/api/v1/products").insert_header(door.bearer(&seller));
    assert_eq!(door.send(own).await.status, 200, "a person has a count of their own");
}

/// Two calls a minute.
fn few(patience: Duration) -> Policy {
    Policy { name: "few".into(), limit: 2, window: Duration::from_mins(1), patience }
}

#[actix_web::test]
async fn a_patient_policy_holds_calls_back_instead_of_refusing_them() {
    let door = Door::with(|services| {
        let applies_to = vec!["list_products".to_owned()];
        let policy = few(Duration::from_secs(7));
        services.settings.limits = vec![LimitRule { applies_to, scope: LimitScope::Everybody, policy }];
    });
    let began = door.fixtures.shop.now();
    for _ in 0..2 {
        assert_eq!(door.get("/api/v1/products").await.status, 200);
    }
    assert_eq!(door.fixtures.shop.now(), began, "nobody waited");
    let seller = door.seller().await;
    let own = TestRequest::get().uri("/api/v1/products").insert_header(door.bearer(&seller));
    let held = door.send(own).await;
    assert_eq!((held.status, held.header("ratelimit-remaining")), (200, "0"));
    assert_eq!(door.fixtures.shop.now() - began, chrono::TimeDelta::seconds(7), "a person is held back for all");
    let admin = door.person(Role::Admin).await;
    let free = TestRequest::get().uri("/api/v1/products").insert_header(door.bearer(&admin));
    assert_eq!(door.send(free).await.header("ratelimit"), "", "administrators are not counted");
}

#[actix_web::test]
async fn the_request_id_of_the_client_is_in_header_and_error() {
    let door = Door::new();
    let answer = door.send(TestRequest::get().uri("/x").insert_header(("X-Request-Id", "abc-1"))).await;
    assert_eq!((answer.header("x-request-id"), answer.json()["error"]["requestId"].clone()), ("abc-1", json!("abc-1")));
    let answer = door.send(TestRequest::get().uri("/x").insert_header(("X-Request-Id", "a b"))).await;
    assert_eq!(answer.header("x-request-id").len(), 36);
}

#[actix_web::test]
async fn a_request_that_takes_too_long_is_cut() {
    struct Slow;
    #[async_trait::async_trait]
    impl domain::health::Probe for Slow {
        fn name(&self) -> &'static str {
            "slow"
        }
        fn required(&self) -> bool {
            true
        }
        async fn check(&self) -> bool {
            std::future::pending().await
        }
    }
    let door = Door::with(|services| {
        services.probes = vec![std::sync::Arc::new(Slow)];
        services.settings.timeout = Duration::from_millis(20);
        services.settings.allowed_origins = vec![ORIGIN.to_owned()];
    });
    let cut = door.send(TestRequest::get().uri("/ready").insert_header(("Origin", ORIGIN))).await;
    assert_eq!((cut.status, cut.code(), cut.header("retry-after")), (503, "UNAVAILABLE".to_owned(), "2"));
    assert_eq!(cut.header("access-control-allow-origin"), ORIGIN);
}

#[actix_web::test]
async fn health_and_readiness() {
    let door = Door::new();
    assert_eq!(door.get("/health").await.json()["status"], "healthy");
    let ready = door.get("/ready").await;
    let mut told = ready.json();
    let modes = told.as_object_mut().unwrap().remove("modes").unwrap();
    let expected = json!({ "database": true, "redis": false, "degraded": ["redis"], "embedded": [] });
    assert_eq!((ready.status, told), (200, expected));
    let absence = domain::dependency::absence("redis").unwrap();
    assert_eq!(modes, json!([{ "name": "redis", "lacks": absence.lacks, "works": absence.works }]));
}

#[actix_web::test]
async fn a_node_that_is_about_to_end_says_so_and_serves() {
    let door = Door::new();
    door.services.draining.begin();
    let ready = door.get("/ready").await;
    let expected = json!({ "serving": false, "degraded": [], "embedded": [] });
    assert_eq!((ready.status, ready.json()), (503, expected));
    assert_eq!(door.get("/health").await.status, 200);
    assert_eq!(door.get("/api/v1/products").await.status, 200);
}

#[actix_web::test]
async fn metrics_and_documents_can_be_closed() {
    let door = Door::new();
    assert_eq!(door.get("/metrics").await.status, 200);
    let page = door.get("/swagger-ui/").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").contains("script-src 'self';"));
    for (path, kind) in [
        ("/docs/realtime", "text/html; charset=utf-8"),
        ("/docs/realtime/page.js", "text/javascript; charset=utf-8"),
        ("/docs/realtime/page.css", "text/css; charset=utf-8"),
    ] {
        let page = door.get(path).await;
        assert_eq!((page.status, page.header("content-type")), (200, kind));
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    }
    let closed = Door::with(|services| {
        services.settings.open_metrics = false;
        services.settings.open_docs = false;
    });
    for path in ["/metrics", "/swagger-ui/", "/docs/realtime", "/api-docs/openapi.json", "/api-docs/asyncapi.json"] {
        assert_eq!(closed.get(path).await.status, 404, "{path}");
    }
}

#[actix_web::test]
async fn answers_are_compressed_on_wish_and_head_is_answered() {
    let door = Door::new();
    for coding in ["br", "gzip"] {
        let large = TestRequest::get().uri("/api-docs/openapi-3.0.json").insert_header(("Accept-Encoding", coding));
        let large = door.send(large).await;
        assert_eq!((large.status, large.header("content-encoding")), (200, coding));
        assert!(large.header("vary").starts_with("accept-encoding"));
        let small = door.send(TestRequest::get().uri("/health").insert_header(("Accept-Encoding", coding))).await;
        assert_eq!((small.status, small.header("content-encoding")), (200, ""), "coding it would save nothing");
        assert!(small.header("vary").starts_with("accept-encoding"));
    }
    let never = TestRequest::get().uri("/health").insert_header(("Accept-Encoding", "identity;q=0, *;q=0"));
    let never = door.send(never).await;
    assert_eq!((never.status, never.code()), (406, "NOT_ACCEPTABLE".to_owned()));
    let head = TestRequest::default().method(actix_web::http::Method::HEAD).uri("/api/v1/products");
    assert_eq!(door.send(head).await.status, 200);
}
