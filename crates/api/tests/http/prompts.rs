//! Prompts, their versions and splits, and what a model would be told, in process.

use actix_web::{http::Method, test::TestRequest};
use domain::{Principal, permission::Role};
use serde_json::{Value, json};

use crate::setup::{Door, Reply};

const BASE: &str = "/api/v1/assistant/prompts";

pub async fn send(door: &Door, method: Method, path: &str, by: &Principal, body: Option<Value>) -> Reply {
    let request = TestRequest::default().method(method).uri(&format!("{BASE}{path}")).insert_header(door.bearer(by));
    door.send(match body {
        Some(body) => request.set_json(body),
        None => request,
    })
    .await
}

async fn get(door: &Door, path: &str, by: &Principal) -> Reply {
    send(door, Method::GET, path, by, None).await
}

async fn post(door: &Door, path: &str, by: &Principal, body: Value) -> Reply {
    send(door, Method::POST, path, by, Some(body)).await
}

fn says(words: &str) -> Value {
    json!({
        "messages": [{ "role": "system", "template": words }, { "role": "user", "template": "Sell {{ title }}!" }],
        "variables": [{ "name": "title", "type": "text", "maxLength": 20 }],
        "model": "small",
        "temperature": 0.5,
    })
}

/// A prompt of that name with so many versions, of which none serves.
pub async fn written(door: &Door, admin: &Principal, name: &str, versions: usize) {
    assert_eq!(post(door, "", admin, json!({ "name": name })).await.status, 201);
    for number in 1..=versions {
        let made = post(door, &format!("/{name}/versions"), admin, says(&format!("Version {number}."))).await;
        assert_eq!((made.status, &made.json()["number"]), (201, &json!(number)), "{}", made.text);
    }
}

pub async fn split(door: &Door, admin: &Principal, name: &str, weights: &[(u32, u32)]) -> Reply {
    let shares: Vec<_> =
        weights.iter().map(|(version, weight)| json!({ "version": version, "weight": weight })).collect();
    send(door, Method::PUT, &format!("/{name}/split"), admin, Some(json!({ "shares": shares }))).await
}

#[actix_web::test]
async fn a_prompt_is_written_in_versions_that_stay() {
    let door = Door::new();
    let (admin, ada) = (door.person(Role::Admin).await, door.person(Role::User).await);
    let made = post(&door, "", &admin, json!({ "name": "sell", "description": "Sells" })).await;
    assert_eq!((made.status, made.header("location")), (201, format!("{BASE}/sell").as_str()));
    assert_eq!(post(&door, "", &admin, json!({ "name": "sell" })).await.status, 409);
    assert_eq!(post(&door, "", &admin, json!({ "name": "Sell it" })).await.broken(), ["body /name pattern"]);
    for (method, path, body) in [
        (Method::POST, "", json!({ "name": "mine" })),
        (Method::PATCH, "/sell", json!({ "archived": true })),
        (Method::POST, "/sell/versions", says("Hi")),
        (Method::PUT, "/sell/split", json!({ "shares": [{ "version": 1, "weight": 1 }] })),
        (Method::POST, "/sell/rollback", json!({})),
        (Method::DELETE, "/sell", json!({})),
    ] {
        let refused = send(&door, method.clone(), path, &ada, Some(body)).await;
        assert_eq!(refused.status, 403, "{method} {path}");
    }
    let mut full = says("Be brief.");
    full["examples"] = json!([{ "user": "Sell a pen!", "assistant": "{\"text\":\"A pen.\"}" }]);
    full["answer"] = json!({ "type": "json", "schema": { "type": "object" } });
    full["reasoning"] = json!({ "form": "steps" });
    let written = post(&door, "/sell/versions", &admin, full).await;
    assert_eq!((written.status, written.header("location")), (201, format!("{BASE}/sell/versions/1").as_str()));
    let read = get(&door, "/sell/versions/1", &ada).await.json();
    assert_eq!(read, written.json());
    assert_eq!((&read["answer"]["strict"], &read["reasoning"]["marker"]), (&json!(true), &json!("### Answer")));
    assert_eq!(
        read["variables"][0],
        json!({
            "name": "title", "type": "text", "description": "", "maxLength": 20, "maxItems": null, "minimum": null, "maximum": null,
            "choices": null, "default": null,
        })
    );
    // What was read can be sent again, but for what the shop says of it.
    let mut again = read.clone();
    for field in ["number", "writtenBy", "writtenAt"] {
        again.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(post(&door, "/sell/versions", &admin, again).await.json()["number"], 2);
    let listed = get(&door, "/sell/versions?limit=1", &ada).await.json();
    assert_eq!((&listed["total"], &listed["items"][0]["number"]), (&json!(2), &json!(2)));
    for path in ["/sell/versions/3", "/other", "/other/versions", "/other/versions/1", "/other/splits"] {
        assert_eq!(get(&door, path, &ada).await.status, 404, "{path}");
    }
    assert_eq!(get(&door, "/sell/versions/zero", &ada).await.status, 400);
    let door_closed = TestRequest::get().uri(BASE);
    assert_eq!(door.send(door_closed).await.status, 401);
}

#[actix_web::test]
async fn every_fault_of_a_version_is_told_with_its_place() {
    let door = Door::new();
    let admin = door.person(Role::Admin).await;
    assert_eq!(post(&door, "", &admin, json!({ "name": "sell" })).await.status, 201);
    let odd = json!({
        "messages": [{ "role": "tool", "template": "x" }, { "template": 7, "colour": "red" }],
        "variables": [{ "name": "a", "type": "number" }, 7],
        "answer": { "schema": [] },
        "stop": [1],
        "temperature": "hot",
    });
    let refused = post(&door, "/sell/versions", &admin, odd).await.broken();
    for expected in [
        "body /messages/0/role enum",
        "body /messages/1/template string",
        "body /messages/1/colour unknown",
        "body /variables/0/type enum",
        "body /variables/1 object",
        "body /answer/schema object",
        "body /stop/0 string",
        "body /temperature number",
    ] {
        assert!(refused.contains(&expected.to_owned()), "{expected} is not in {refused:?}");
    }
    let unknown = json!({ "messages": [{ "role": "user", "template": "Hello {{ you }}" }] });
    let refused = post(&door, "/sell/versions", &admin, unknown).await;
    assert_eq!(refused.broken(), ["body /messages/0/template unknown_variable"]);
    assert!(refused.text.contains("names you, which is no variable"), "{}", refused.text);
    assert_eq!(post(&door, "/sell/versions", &admin, json!({})).await.broken(), ["body /messages required"]);
    assert_eq!(post(&door, "/other/versions", &admin, says("Hi")).await.status, 404);
}

#[actix_web::test]
async fn a_version_serves_when_a_split_says_so_and_one_goes_back() {
    let door = Door::new();
    let (admin, ada) = (door.person(Role::Admin).await, door.person(Role::User).await);
    written(&door, &admin, "sell", 2).await;
    let render = async |body: Value| post(&door, "/sell/render", &ada, body).await;
    let lamp = json!({ "variables": { "title": "lamp" } });
    assert_eq!(render(lamp.clone()).await.status, 409, "no version serves");
    let first = render(json!({ "version": 1, "variables": { "title": "{{ title }}" } })).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let first = first.json();
    let told = json!([{ "role": "system", "text": "Version 1." }, { "role": "user", "text": "Sell {{ title }}!" }]);
    assert_eq!((&first["messages"], &first["model"], &first["temperature"]), (&told, &json!("small"), &json!(0.5)));
    assert!(first["estimatedTokens"].as_u64().unwrap() > 5);
    let odd = render(json!({ "version": 1, "variables": { "title": "x".repeat(21), "colour": 1 } })).await;
    assert_eq!(odd.broken(), ["body /variables/title max_length", "body /variables/colour unknown"]);
    assert_eq!(render(json!({ "version": 3 })).await.status, 404);
    assert_eq!(render(json!({ "version": 0 })).await.broken(), ["body /version range"]);

    assert_eq!(split(&door, &admin, "sell", &[(3, 1)]).await.broken(), ["body /shares/0/version unknown"]);
    assert_eq!(split(&door, &admin, "sell", &[]).await.broken(), ["body /shares max_items"]);
    let published = split(&door, &admin, "sell", &[(1, 100)]).await;
    assert_eq!((published.status, &published.json()["split"]["number"]), (200, &json!(1)), "{}", published.text);
    assert_eq!(render(lamp.clone()).await.json()["version"], 1);
    assert_eq!(split(&door, &admin, "sell", &[(1, 50), (2, 50)]).await.status, 200);
    let mut met = Vec::new();
    for subject in 0..40 {
        let body = json!({ "variables": { "title": "lamp" }, "subject": format!("customer-{subject}") });
        let version = render(body.clone()).await.json()["version"].as_i64().unwrap();
        assert_eq!(render(body).await.json()["version"], version, "the same one again");
        met.push(version);
    }
    let second = met.iter().filter(|version| **version == 2).count();
    assert!((5..=35).contains(&second), "{met:?}");

    let stale = TestRequest::post().uri(&format!("{BASE}/sell/rollback")).insert_header(door.bearer(&admin));
    let stale = door.send(stale.insert_header(("if-match", published.header("etag")))).await;
    assert_eq!(stale.status, 412, "somebody set another split since");
    let back = send(&door, Method::POST, "/sell/rollback", &admin, None).await;
    assert_eq!((back.status, &back.json()["split"]["broughtBack"]), (200, &json!(1)), "{}", back.text);
    assert_eq!(render(lamp.clone()).await.json()["version"], 1);
    assert_eq!(send(&door, Method::POST, "/sell/rollback", &admin, None).await.status, 409);
    let splits = get(&door, "/sell/splits", &ada).await.json();
    assert_eq!(
        (&splits["total"], &splits["items"][2]["shares"]),
        (&json!(3), &json!([{ "version": 1, "weight": 100 }]))
    );
    assert_eq!(splits["items"][0]["setBy"], json!(admin.user));

    let away = send(&door, Method::PATCH, "/sell", &admin, Some(json!({ "archived": true }))).await;
    assert_eq!(away.status, 200);
    assert_eq!(render(lamp).await.status, 409, "what is put away serves nobody");
    assert_eq!(get(&door, "", &ada).await.json()["total"], 0);
    assert_eq!(get(&door, "?archived=true", &ada).await.json()["items"][0]["name"], "sell");
    assert_eq!(send(&door, Method::DELETE, "/sell", &admin, None).await.status, 200);
    assert_eq!(get(&door, "/sell", &ada).await.status, 404);
}

#[actix_web::test]
async fn a_conversation_goes_by_the_words_of_a_prompt() {
    let door = Door::new();
    let (admin, ada) = (door.person(Role::Admin).await, door.person(Role::User).await);
    written(&door, &admin, "sell", 1).await;
    let rules = json!({
        "messages": [{ "role": "system", "template": "Speak {{ language }}." }, { "role": "system", "template": "Be kind." }],
        "variables": [{ "name": "language", "type": "text", "maxLength": 9 }],
        "model": "small",
    });
    assert_eq!(post(&door, "/sell/versions", &admin, rules).await.json()["number"], 2);
    let begin = async |body: Value| door.post("/api/v1/conversations", &ada, &body).await;
    let by = |prompt: Value| json!({ "prompt": prompt });
    let begun = begin(by(json!({ "name": "sell", "version": 2, "variables": { "language": "French" } }))).await;
    assert_eq!(begun.status, 201, "{}", begun.text);
    let made = begun.json();
    assert_eq!((&made["system"], &made["model"]), (&json!("Speak French.\n\nBe kind."), &json!("small")));
    assert_eq!(made["prompt"]["version"], 2);
    let path = begun.header("location").to_owned();
    let change = TestRequest::patch().uri(&path).set_json(json!({ "system": "Be brief." }));
    let changed = door.send(change.insert_header(door.bearer(&ada))).await.json();
    assert_eq!(
        (&changed["system"], &changed["prompt"]),
        (&json!("Be brief."), &Value::Null),
        "these words are its own"
    );
    for (body, broken) in [
        (by(json!({ "name": "sell", "version": 2 })), "body /prompt/variables/language required"),
        (by(json!({ "name": "sell", "version": 1, "variables": { "title": "a" } })), "body /prompt/version consistent"),
        (by(json!({ "version": 1 })), "body /prompt/name required"),
        (json!({ "prompt": { "name": "sell", "version": 2 }, "system": "Hi" }), "body /prompt consistent"),
    ] {
        assert_eq!(begin(body.clone()).await.broken(), [broken], "{body}");
    }
    assert_eq!(begin(by(json!({ "name": "sell" }))).await.status, 409, "no version serves");
    assert_eq!(begin(by(json!({ "name": "other" }))).await.status, 404);
}
