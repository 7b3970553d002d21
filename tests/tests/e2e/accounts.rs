//! Signing up and signing in.

use serde_json::json;
use souk_e2e::{Client, Database, Reply, Server, on_each_database};

use crate::shop;

on_each_database!(
    the_plain_curl_of_the_readme_is_answered_as_json,
    registers_and_signs_in,
    a_bad_token_is_anonymous_on_public_routes,
    faults_of_a_sign_up_are_told_at_once,
);

/// `curl -X POST localhost:3000/api/auth/login -d '{..}' -H 'Content-Type: application/json'`, byte for byte.
async fn curl(client: &Client, path: &str, body: &'static str) -> Reply {
    let request = client.request("POST", path).header("User-Agent", "curl/7.88.1").header("Accept", "*/*");
    client.send(request.header("Content-Type", "application/json").body(body)).await
}

async fn the_plain_curl_of_the_readme_is_answered_as_json(database: Database) {
    let server = Server::start(database).await;
    let client = server.client();
    let body = r#"{"email":"test@test.com","password":"pass"}"#;
    let reply = curl(&client, "/api/auth/login", body).await;
    let error = reply.error(401, "UNAUTHORIZED");
    assert_eq!(error["message"], "Invalid email or password");
    assert_eq!(curl(&client, "/api/v1/auth/login", body).await.status, 401);
    // Its password is too short to register with.
    let reply = curl(&client, "/api/auth/register", body).await;
    reply.error(400, "VALIDATION_ERROR");
    assert!(reply.names("/password"), "{}", reply.text());

    // What too many chose is refused by name.
    let body = r#"{"email":"test@test.com","password":"password1"}"#;
    let reply = curl(&client, "/api/auth/register", body).await;
    reply.error(400, "VALIDATION_ERROR");
    assert!(reply.names("/password") && reply.names("common"), "{}", reply.text());

    let body = r#"{"email":"test@test.com","password":"pass of mine"}"#;
    curl(&client, "/api/auth/register", body).await.expect(201);
    let signed = curl(&client, "/api/auth/login", body).await.expect(200);
    assert!(signed.header("content-type").starts_with("application/json"));
    assert!(signed.json()["token"].is_string(), "{}", signed.text());
}

async fn registers_and_signs_in(database: Database) {
    let server = Server::start(database).await;
    let person = shop::person(&server, "ada@example.com").await;
    let me = person.get("/api/v1/users/me").await.expect(200).json();
    assert_eq!((&me["email"], &me["role"]), (&json!("ada@example.com"), &json!("user")));
    assert!(!me.to_string().contains("assword"), "{me}");

    let again = json!({ "email": "ADA@example.com", "password": "another password", "name": "Ada" });
    server.client().post("/api/v1/auth/register", &again).await.error(409, "CONFLICT");
    let wrong = json!({ "email": "ada@example.com", "password": "another password" });
    server.client().post("/api/v1/auth/login", &wrong).await.error(401, "UNAUTHORIZED");
    let anonymous = server.client().get("/api/v1/users/me").await;
    anonymous.error(401, "UNAUTHORIZED");
    assert!(anonymous.header("www-authenticate").starts_with("Bearer"), "{:?}", anonymous.headers);
}

async fn a_bad_token_is_anonymous_on_public_routes(database: Database) {
    let server = Server::start(database).await;
    let bad = server.client().with_token("not.a.token");
    let list = bad.get("/api/v1/products").await.expect(200);
    assert!(list.header("www-authenticate").contains("invalid_token"), "{:?}", list.headers);
    bad.post("/api/v1/products", &shop::lamp()).await.error(401, "UNAUTHORIZED");
}

async fn faults_of_a_sign_up_are_told_at_once(database: Database) {
    let server = Server::start(database).await;
    let body = json!({ "email": "nobody", "password": "short", "name": "" });
    let reply = server.client().post("/api/v1/auth/register", &body).await;
    reply.error(400, "VALIDATION_ERROR");
    for field in ["/email", "/password", "/name"] {
        assert!(reply.names(field), "{field}: {}", reply.text());
    }
}
