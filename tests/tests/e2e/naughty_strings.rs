//! The Big List of Naughty Strings in every text field and every query parameter: each string is stored and given back
//! byte for byte, or refused with a 400 that names the field; never a 5xx.

use std::sync::Arc;

use serde_json::{Value, json};
use souk_e2e::{Client, Database, Reply, Server, on_each_database};
use tokio::task::JoinSet;

use crate::{document, shop};

on_each_database!(
    in_every_field_of_a_product,
    in_every_field_of_an_account,
    in_every_text_of_every_body,
    in_every_query_parameter,
);

/// How many requests are under way at once.
const TOGETHER: usize = 8;

fn strings() -> Vec<String> {
    let list: Vec<String> = serde_json::from_str(include_str!("../data/blns.json")).unwrap();
    assert_eq!(list.len(), 515);
    list
}

/// Runs a case for each string with its number, several at once.
async fn each<F>(case: impl Fn(usize, String) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut running = JoinSet::new();
    for (number, text) in strings().into_iter().enumerate() {
        if running.len() >= TOGETHER {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(case(number, text));
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

/// True when the string was taken; it must then be in the answer as sent. Refused, the answer names the field.
#[track_caller]
fn taken(reply: &Reply, field: &str, shown: &str, text: &str) -> bool {
    if reply.status == 400 {
        reply.error(400, "VALIDATION_ERROR");
        assert!(reply.names(field), "{text:?} was refused without naming {field}: {}", reply.text());
        return false;
    }
    assert!((200..300).contains(&reply.status), "{text:?} in {field}: {}: {}", reply.what, reply.text());
    assert_eq!(reply.json().pointer(shown), Some(&json!(text)), "{field} came back changed");
    true
}

async fn in_every_field_of_a_product(database: Database) {
    let server = Server::start(database).await;
    let seller = server.signed_in("seller").await;
    let changed = Arc::new(shop::path(&shop::create(&seller, &shop::lamp()).await));
    for (field, shown) in [
        ("/name", "/name"),
        ("/description", "/description"),
        ("/sku", "/sku"),
        ("/images/0", "/images/0/url"),
        ("/metadata/value", "/metadata/value"),
    ] {
        let (seller, changed) = (seller.clone(), Arc::clone(&changed));
        each(move |_, text| {
            let (seller, changed) = (seller.clone(), Arc::clone(&changed));
            async move {
                let mut body = shop::lamp();
                set(&mut body, field, &text);
                let named = field.strip_suffix("/value").unwrap_or(field);
                let made = seller.post("/api/v1/products", &body).await;
                if made.status == 409 {
                    assert_eq!(field, "/sku", "{}", made.text());
                    return;
                }
                if taken(&made, named, shown, &text) {
                    let read = seller.get(&shop::path(&made.json())).await.expect(200);
                    taken(&read, named, shown, &text);
                    seller.delete(&shop::path(&made.json())).await.expect(200);
                }
                let mut patch = json!({});
                set(&mut patch, field, &text);
                let patched = seller.patch(&changed, &patch).await;
                // Eight writers change this product at once: losing that race is fair.
                if patched.status != 409 {
                    taken(&patched, named, shown, &text);
                }
            }
        })
        .await;
    }
    // As the name of a metadata entry, too.
    each(move |_, text| {
        let seller = seller.clone();
        async move {
            let mut body = shop::lamp();
            body["metadata"] = json!({ &text: "value" });
            let made = seller.post("/api/v1/products", &body).await;
            if made.status == 400 {
                assert!(made.names("/metadata"), "{text:?}: {}", made.text());
            } else {
                let read = seller.get(&shop::path(&made.expect(201).json())).await.expect(200).json();
                assert_eq!(read["metadata"], json!({ &text: "value" }));
            }
        }
    })
    .await;
}

/// Puts a text at a JSON pointer of a product's body.
fn set(body: &mut Value, field: &str, text: &str) {
    match field {
        "/images/0" => body["images"] = json!([text]),
        "/metadata/value" => body["metadata"] = json!({ "value": text }),
        _ => body[&field[1..]] = json!(text),
    }
}

async fn in_every_field_of_an_account(database: Database) {
    let server = Server::start(database).await;
    let client = server.client();
    for field in ["/email", "/name", "/password"] {
        let client = client.clone();
        each(move |number, text| {
            let client = client.clone();
            async move {
                let email = format!("naughty-{number}-{}@example.com", &field[1..]);
                let mut body = json!({ "email": email, "password": "correct horse", "name": "Ada" });
                body[&field[1..]] = json!(text);
                let reply = client.post("/api/v1/auth/register", &body).await;
                if field != "/password" {
                    taken(&reply, field, field, &text);
                } else if reply.status == 400 {
                    assert!(reply.names(field), "{text:?}: {}", reply.text());
                } else {
                    reply.expect(201);
                    client.sign_in(&email, &text).await.get("/api/v1/users/me").await.expect(200);
                }
                // Signing in with nonsense is refused, not a fault of ours.
                let mut body = json!({ "email": email, "password": "wrong horse" });
                if field == "/email" {
                    body["email"] = json!(text);
                    let reply = client.post("/api/v1/auth/login", &body).await;
                    assert!(matches!(reply.status, 400 | 401), "{text:?}: {}", reply.text());
                }
            }
        })
        .await;
    }
}

/// Texts that are decimal numbers.
const AMOUNTS: [&str; 5] = ["cost", "input", "cached", "output", "reasoning"];

/// Walks the document, so that a new operation is asked without a line here.
async fn in_every_text_of_every_body(database: Database) {
    let server = Server::start(database).await;
    let world = document::World::new(&server).await;
    let mut seen = 0;
    for operation in world.operations.iter().filter(|operation| operation.body.is_some()) {
        let role = match operation.scopes.as_deref() {
            Some([scope]) if scope == "reviews:write" => "buyer",
            Some([scope]) if scope == "products:write" || scope == "members:manage" => "seller",
            Some([scope]) if ["keys:manage", "webhooks:manage", "assistant:use"].contains(&scope.as_str()) => "buyer",
            _ => "admin",
        };
        let client = server.signed_in(role).await;
        for field in &operation.texts {
            seen += 1;
            let (client, path, method) = (client.clone(), world.path(operation), operation.method.clone());
            let (body, field) = (operation.body.clone().unwrap(), field.clone());
            each(move |_, text| {
                let (client, path, method) = (client.clone(), path.clone(), method.clone());
                let (mut body, field) = (body.clone(), field.clone());
                async move {
                    body[&field] = json!(text);
                    let reply = client.send(client.request(&method, &path).json(&body)).await;
                    // What exists once only, such as an account or a sku, may be there already; and what signs in with
                    // nonsense, proves with it who one is, or follows a link of it is refused. A code that is nonsense leads
                    // nowhere, and nobody has a passkey here.
                    let proves = |field| body.get(field).is_some();
                    let passkey = path.contains("/passkeys/");
                    // A change of the product before may have taken it away.
                    let picture = path.contains("/images/");
                    // A provider that is not configured, an answer that nobody asked for.
                    let nothing = path.contains("/providers/") || path.contains("/generations/");
                    let refused = match reply.status {
                        401 | 409 => true,
                        403 => proves("currentPassword") || proves("password"),
                        404 => field == "code" || passkey || picture || nothing || field == "tool",
                        503 => path == "/api/v1/chat" || path.ends_with("/generations"),
                        422 => proves("token") || proves("codeVerifier") || proves("ceremony"),
                        _ => false,
                    };
                    if refused {
                        reply.json()["error"]["code"].as_str().unwrap();
                    } else if (200..300).contains(&reply.status) && AMOUNTS.contains(&field.as_str()) {
                        // Amounts come back in their shortest form.
                        let back = reply.json()[&field].as_str().map(str::parse::<f64>);
                        assert_eq!(back, Some(text.parse()), "{text:?} in {field}");
                    } else if reply.status == 400 || reply.json().get(&field).is_some() {
                        let pointer = format!("/{field}");
                        taken(&reply, &pointer, &pointer, &text);
                    } else {
                        assert!((200..300).contains(&reply.status), "{text:?} in {field}: {}", reply.text());
                    }
                }
            })
            .await;
        }
    }
    assert!(seen >= 8, "the document names only {seen} texts");
}

async fn in_every_query_parameter(database: Database) {
    let server = Server::start(database).await;
    let admin = server.signed_in("admin").await;
    let world = document::World::new(&server).await;
    let mut seen = 0;
    for operation in world.operations.iter().filter(|operation| operation.method == "GET") {
        for parameter in &operation.query {
            seen += 1;
            let mut path = world.path(operation);
            let endless = operation.id == "stream_events";
            if endless && parameter != "topics" {
                path += "?topics=products";
            }
            // Both are asked for.
            path += match (operation.id.as_str(), parameter.as_str()) {
                ("begin_sign_in", "codeChallenge") => "?redirectUrl=http://localhost:5173",
                ("begin_sign_in", _) => "?codeChallenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                ("get_model3d_quote", name) if name != "material" => "?material=pla",
                _ => "",
            };
            let (admin, parameter) = (if endless { server.client() } else { admin.clone() }, parameter.clone());
            each(move |_, text| {
                let (admin, path, parameter) = (admin.clone(), path.clone(), parameter.clone());
                async move { asked(&admin, &path, &parameter, &text).await }
            })
            .await;
        }
    }
    assert!(seen >= 10, "the document names only {seen} query parameters");
}

async fn asked(client: &Client, path: &str, parameter: &str, text: &str) {
    // The head alone: a stream has no end to wait for.
    let (status, body) = client.begun(path, &[(parameter, text)]).await;
    match body {
        Some(refused) if status == 400 => {
            refused.error(400, "VALIDATION_ERROR");
            assert!(refused.names(parameter), "{text:?} in {parameter}: {}", refused.text());
        }
        // A text may be no ticket, and is then no way in; and nothing makes a WebSocket of a plain request.
        _ => {
            let socket = path.ends_with("/ws") && status == 426;
            let fits = matches!(status, 200 | 404) || (parameter == "ticket" && status == 401) || socket;
            assert!(fits, "{text:?} in {parameter}: {path} = {status}");
        }
    }
}
