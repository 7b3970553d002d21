//! Who may call what: every operation of the document, with every kind of caller who may not.

use serde_json::json;
use souk_e2e::{Database, Server, on_each_database};

use crate::{
    document::{self, World},
    shop,
};

on_each_database!(
    nobody_passes_a_wall,
    no_key_passes_but_for_its_scope,
    another_owner_is_refused,
    mutations_are_secured
);

/// What everybody may do without an account, though it changes something.
const OPEN_MUTATIONS: [&str; 9] = [
    // Signed by itself.
    "receive_hook",
    "register",
    "login",
    "confirm_",
    "refresh_session",
    "begin_passkey_login",
    "request_email_verification",
    "request_password_reset",
    "request_sign_in_code",
];

/// The lowest role that has a scope; an unknown scope fails the test.
fn lowest_role(scope: &str) -> &'static str {
    match scope {
        "account:own" | "account:change" | "reviews:write" | "rooms:use" | "keys:manage" | "members:manage"
        | "webhooks:manage" | "assistant:use" => "buyer",
        "products:write" => "seller",
        "catalog:manage"
        | "reviews:moderate"
        | "audit:read"
        | "jobs:manage"
        | "hooks:manage"
        | "users:manage"
        | "roles:manage"
        | "users:impersonate"
        | "webhooks:administer"
        | "assistant:manage"
        | "prompts:write" => "admin",
        other => panic!("tell this test which role has the scope {other}"),
    }
}

/// The roles below one, from the demo shop.
fn below(role: &str) -> &'static [&'static str] {
    match role {
        "admin" => &["buyer", "seller"],
        "seller" => &["buyer"],
        _ => &[],
    }
}

async fn nobody_passes_a_wall(database: Database) {
    let server = Server::start(database).await;
    let world = World::new(&server).await;
    let mut checked = 0;
    for operation in &world.operations {
        let Some(scopes) = &operation.scopes else { continue };
        assert!(!scopes.is_empty(), "{} asks for a token and names no scope", operation.id);
        for token in [None, Some("garbage"), Some("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.")] {
            let client = server.client();
            let client = token.map_or(client.clone(), |token| client.with_token(token));
            let reply = document::call(&client, &world, operation).await;
            reply.error(401, "UNAUTHORIZED");
            assert!(reply.header("www-authenticate").starts_with("Bearer"), "{}", reply.what);
            checked += 1;
        }
        for role in scopes.iter().flat_map(|scope| below(lowest_role(scope))) {
            let reply = document::call(&server.signed_in(role).await, &world, operation).await;
            assert!(matches!(reply.status, 403 | 404), "{role} passed: {}: {}", reply.what, reply.text());
            checked += 1;
        }
    }
    assert!(checked >= 30, "only {checked} calls were refused");
}

/// An administrator's keys: each is for everything but one thing, and that it is refused.
async fn no_key_passes_but_for_its_scope(database: Database) {
    let server = Server::start(database).await;
    let admin = server.signed_in("admin").await;
    let world = World::new(&server).await;
    let roles = admin.get("/api/v1/roles/admin").await.expect(200).json();
    let never = ["account:change", "keys:manage", "roles:manage", "users:impersonate"];
    let all: Vec<_> = roles["permissions"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let mut checked = 0;
    for lacking in &all {
        let scopes: Vec<_> = all.iter().filter(|one| *one != lacking && !never.contains(one)).collect();
        let made =
            admin.post("/api/v1/api-keys", &json!({ "name": lacking, "scopes": scopes })).await.expect(201).json();
        let text = made["text"].as_str().unwrap();
        let key = server.client().with_token(text);
        for operation in &world.operations {
            if operation.scopes.as_ref().is_none_or(|scopes| !scopes.iter().any(|one| one == lacking)) {
                continue;
            }
            let reply = document::call(&key, &world, operation).await;
            reply.error(403, "FORBIDDEN");
            assert!(reply.text().contains(&format!("Scope {lacking} required")), "{}: {}", reply.what, reply.text());
            checked += 1;
        }
        assert!(!server.log().contains(text), "a key stands in the log");
    }
    assert!(checked >= 30, "only {checked} calls were refused");
}

async fn another_owner_is_refused(database: Database) {
    let server = Server::start(database).await;
    let (owner, buyer, admin) =
        (server.signed_in("seller").await, server.signed_in("buyer").await, server.signed_in("admin").await);
    let other_seller = shop::seller(&server, "other@example.com").await;
    let other_buyer = shop::person(&server, "another@example.com").await;
    let first = World::new(&server).await;
    let mut checked = 0;
    for operation in &first.operations {
        let Some(scopes) = &operation.scopes else { continue };
        if !operation.path.contains('{') {
            continue;
        }
        let (mine, theirs) = match scopes[0].as_str() {
            "products:write" | "members:manage" => (&owner, &other_seller),
            "reviews:write" if operation.path.contains("/reviews/{") => (&buyer, &other_buyer),
            // What the shop asks of models is for everybody who may use them.
            "assistant:use" if operation.path.contains("/prompts/{") => continue,
            // Nothing is said without a model, and nobody answers.
            "assistant:use" if operation.path.contains("/generations/{") => continue,
            "assistant:use" if operation.path.contains("{chatId}") || operation.path.contains("{messageId}") => {
                continue;
            }
            "assistant:use" | "rooms:use" | "keys:manage" | "webhooks:manage" => (&buyer, &other_buyer),
            _ => continue,
        };
        // A fresh world each time: the operation may delete what it names.
        let world = first.again(&owner, &buyer, &admin).await;
        if operation.id == "restore_product" {
            owner.delete(&shop::path(&world.draft)).await.expect(200);
        }
        let reply = document::call(theirs, &world, operation).await;
        assert!(matches!(reply.status, 403 | 404), "another owner passed: {}: {}", reply.what, reply.text());
        let reply = document::call(mine, &world, operation).await;
        assert!(
            !matches!(reply.status, 401 | 403 | 404 | 405) && reply.status < 500,
            "the owner was refused, so the refusal above proves nothing: {}: {}",
            reply.what,
            reply.text()
        );
        checked += 1;
    }
    assert!(checked >= 3, "only {checked} operations have owners");
}

async fn mutations_are_secured(database: Database) {
    let server = Server::start(database).await;
    for operation in &World::new(&server).await.operations {
        let open = operation.scopes.is_none() && !matches!(operation.method.as_str(), "GET" | "HEAD");
        let known = OPEN_MUTATIONS.iter().any(|name| operation.id.starts_with(name));
        assert_eq!(open, open && known, "{} {} is open to everybody", operation.method, operation.path);
    }
}
