//! Every failure has one form, wherever it arises.

use serde_json::{Value, json};
use souk_e2e::{Database, Server, on_each_database};

use crate::shop;

on_each_database!(every_failure_has_the_one_form, problem_json_by_request, hostile_bodies_are_refused_quickly);

async fn every_failure_has_the_one_form(database: Database) {
    let server = Server::start(database).await;
    let (seller, anyone) = (server.signed_in("seller").await, server.client());

    let malformed = seller.request("POST", "/api/v1/products").header("Content-Type", "application/json").body("{");
    seller.send(malformed).await.error(400, "VALIDATION_ERROR");
    anyone.get("/nowhere").await.error(404, "NOT_FOUND");
    anyone.get("/api/v1/nowhere").await.error(404, "NOT_FOUND");
    anyone.get("/api/v1/products/019f0000-0000-7000-8000-000000000000").await.error(404, "NOT_FOUND");
    let malformed_id = anyone.get("/api/v1/products/not-an-id/reviews").await;
    assert!(matches!(malformed_id.status, 400 | 404), "{}", malformed_id.text());

    let wrong_method = anyone.send(anyone.request("PUT", "/api/v1/products")).await;
    assert_eq!(wrong_method.status, 405, "{}", wrong_method.text());
    assert!(wrong_method.json()["error"]["requestId"].is_string());
    let allow: Vec<&str> = wrong_method.header("allow").split(',').map(str::trim).collect();
    assert!(allow.contains(&"GET") && allow.contains(&"POST"), "{allow:?}");

    let wrong_type = seller.request("POST", "/api/v1/products").header("Content-Type", "text/plain").body("name=x");
    let wrong_type = seller.send(wrong_type).await;
    assert_eq!(wrong_type.status, 415, "{}", wrong_type.text());
    assert!(wrong_type.json()["error"]["requestId"].is_string());

    let mut large = shop::lamp();
    large["description"] = json!("x".repeat(12 << 20));
    let large = seller.post("/api/v1/products", &large).await;
    assert_eq!(large.status, 413, "{}", large.text());
    assert!(large.json()["error"]["requestId"].is_string());

    let mut strange = shop::lamp();
    strange["colour"] = json!("red");
    let strange = seller.post("/api/v1/products", &strange).await;
    strange.error(400, "VALIDATION_ERROR");
    assert!(strange.names("colour"), "{}", strange.text());

    let faulty = seller.post("/api/v1/products", &json!({ "name": "x", "price": -1, "stock": -1 })).await;
    faulty.error(400, "VALIDATION_ERROR");
    for field in ["/name", "/price", "/stock"] {
        assert!(faulty.names(field), "{field}: {}", faulty.text());
    }
    let fractions = seller.post("/api/v1/products", &json!({ "name": "Lamp", "price": 1.999 })).await;
    fractions.error(400, "VALIDATION_ERROR");
    assert!(fractions.names("/price"), "{}", fractions.text());
}

async fn problem_json_by_request(database: Database) {
    let server = Server::start(database).await;
    let client = server.client();
    let request = client.request("GET", "/api/v1/nowhere").header("Accept", "application/problem+json");
    let reply = client.send(request).await.expect(404);
    assert!(reply.header("content-type").starts_with("application/problem+json"), "{:?}", reply.headers);
    let problem = reply.json();
    assert_eq!((&problem["status"], &problem["error"]), (&json!(404), &Value::Null), "{problem}");
    assert!(problem["title"].is_string() && problem["type"].is_string(), "{problem}");
}

async fn hostile_bodies_are_refused_quickly(database: Database) {
    let server = Server::start(database).await;
    let (seller, anyone) = (server.signed_in("seller").await, server.client());
    let started = std::time::Instant::now();

    let deep = format!(r#"{{"metadata":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let invalid_utf8 = b"{\"name\":\"\xff\xfe\",\"price\":1}".to_vec();
    for body in [deep.into_bytes(), invalid_utf8] {
        let request = seller.request("POST", "/api/v1/products").header("Content-Type", "application/json").body(body);
        let reply = seller.send(request).await;
        assert!((400..500).contains(&reply.status), "{}: {}", reply.what, reply.text());
        assert!(reply.json()["error"]["code"].is_string());
    }
    let password = "p".repeat(1 << 20);
    for path in ["/api/v1/auth/register", "/api/v1/auth/login"] {
        let body = json!({ "email": "large@example.com", "password": password });
        let reply = anyone.post(path, &body).await;
        assert!((400..500).contains(&reply.status), "{}: {}", reply.what, reply.text());
    }
    let mut nul = shop::lamp();
    nul["name"] = json!("nul\u{0}nul");
    nul["metadata"] = json!({ "key": "a\u{0}b" });
    let reply = seller.post("/api/v1/products", &nul).await;
    reply.error(400, "VALIDATION_ERROR");
    assert!(reply.names("/name") && reply.names("/metadata"), "{}", reply.text());
    // Without hashing a megabyte or walking the depth all of this takes well under a second.
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}
