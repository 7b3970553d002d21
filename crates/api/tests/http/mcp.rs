//! The Model Context Protocol, in process. Its official client uses it in `scripts/mcp`.

use actix_web::test::TestRequest;
use domain::{Principal, permission::Role};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

const ACCEPT: (&str, &str) = ("Accept", "application/json, text/event-stream");

async fn ask(door: &Door, by: Option<&Principal>, method: &str, params: Value) -> Reply {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let mut request = TestRequest::post().uri("/mcp").insert_header(ACCEPT).set_json(body);
    if let Some(by) = by {
        request = request.insert_header(door.bearer(by));
    }
    door.send(request).await
}

async fn called(door: &Door, by: Option<&Principal>, tool: &str, arguments: Value) -> Value {
    let reply = ask(door, by, "tools/call", json!({ "name": tool, "arguments": arguments })).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["result"].clone()
}

#[actix_web::test]
async fn who_calls_is_told_of_their_tools() {
    let door = Door::new();
    let (seller, buyer) = (door.seller().await, door.person(Role::User).await);
    let client = json!({ "name": "test", "version": "1" });
    let hello = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
    let hello = ask(&door, None, "initialize", hello).await.json()["result"].clone();
    assert_eq!((&hello["protocolVersion"], &hello["serverInfo"]["name"]), (&json!("2025-06-18"), &json!("souk")));
    assert!(hello["capabilities"]["tools"].is_object(), "{hello}");
    for (by, tools) in [(None, 3), (Some(&buyer), 3), (Some(&seller), 5)] {
        let told = ask(&door, by, "tools/list", json!({})).await.json();
        assert_eq!(told["result"]["tools"].as_array().unwrap().len(), tools, "{told}");
    }
}

#[actix_web::test]
async fn what_writes_is_confirmed_by_the_same_call_with_its_word() {
    let door = Door::new();
    let (seller, other) = (door.seller().await, door.seller().await);
    let mut lamp = json!({ "name": "Reading lamp", "price": "19.95" });
    let proposed = called(&door, Some(&seller), "draft_listing", lamp.clone()).await["structuredContent"].clone();
    assert_eq!((&proposed["status"], door.store.traces()), (&json!("proposed"), vec![]));
    lamp["confirmation"] = proposed["confirmation"].clone();
    let theirs = called(&door, Some(&other), "draft_listing", lamp.clone()).await;
    assert_eq!((&theirs["isError"], door.store.traces()), (&json!(true), vec![]));
    let made = called(&door, Some(&seller), "draft_listing", lamp.clone()).await;
    let again = called(&door, Some(&seller), "draft_listing", lamp).await;
    assert_eq!(made["structuredContent"]["status"], json!("draft"), "{made}");
    assert_eq!((again, door.store.traces().len()), (made.clone(), 1));
    let secret = json!({ "productId": made["structuredContent"]["id"] });
    for by in [None, Some(&other)] {
        let refused = called(&door, by, "read_product", secret.clone()).await;
        assert_eq!((&refused["isError"], &refused["content"][0]["text"]), (&json!(true), &json!("Product not found")));
    }
}

#[actix_web::test]
async fn what_is_wrong_is_told_in_the_form_of_the_protocol() {
    let door = Door::new();
    let listing = || json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let post = || TestRequest::post().uri("/mcp").insert_header(ACCEPT);
    let large = format!("{{\"method\":\"{}\"}}", "x".repeat(door.services.settings.body_limit));
    for (status, code, request) in [
        (400, -32700, post().insert_header(("Content-Type", "application/json")).set_payload("{")),
        (400, -32600, post().set_json(json!([listing()]))),
        (413, -32600, post().insert_header(("Content-Type", "application/json")).set_payload(large)),
        (415, -32600, post().insert_header(("Content-Type", "text/plain")).set_payload("{}")),
        (406, -32600, TestRequest::post().uri("/mcp").set_json(listing())),
        (404, -32600, post().insert_header(("Mcp-Session-Id", "1")).set_json(listing())),
        (400, -32600, post().insert_header(("MCP-Protocol-Version", "1999-01-01")).set_json(listing())),
        (403, -32000, post().insert_header(("Origin", "https://elsewhere.example")).set_json(listing())),
        (401, -32000, post().insert_header(("Authorization", "Bearer over")).set_json(listing())),
        (405, -32600, TestRequest::get().uri("/mcp").insert_header(ACCEPT)),
    ] {
        let reply = door.send(request).await;
        let told = reply.json();
        assert_eq!((reply.status, &told["error"]["code"]), (status, &json!(code)), "{}", reply.text);
        assert_eq!((&told["jsonrpc"], &told["id"]), (&json!("2.0"), &Value::Null));
    }
    let unknown = ask(&door, None, "tools/call", json!({ "name": "drop_tables" })).await.json();
    assert_eq!(unknown["error"]["code"], json!(-32602), "{unknown}");
    let broken = called(&door, None, "search_products", json!({ "query": 7 })).await;
    assert_eq!(broken["isError"], json!(true));
    assert_eq!(broken["content"][0]["text"], json!("Validation failed: /query must be a string"));
}
