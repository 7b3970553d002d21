//! Asking a model by a prompt, and how its answers turn out, in process.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    http::Method,
    test::{self, TestRequest},
};
use domain::{
    Principal,
    assistant::{Fault, FaultClass, Model, Models, Usage, ports::LedgerStore as _},
    permission::Role,
    testing::{PlainModel, Script},
};
use serde_json::{Value, json};

use crate::{
    prompts::{send, split, written},
    setup::{Door, Reply, small},
};

const USED: Usage = Usage { prompt: 4, completion: 2, cached: 1, reasoning: 0 };

const PATH: &str = "/api/v1/assistant/prompts/sell/generations";

struct Asked {
    door: Door,
    admin: Principal,
    ada: Principal,
    model: Arc<PlainModel>,
}

impl Asked {
    async fn of(script: impl IntoIterator<Item = Script>) -> Self {
        let model = PlainModel::new(script);
        let small = Model { window: 200, ..small(&model) };
        let models = Models { chat: BTreeMap::from([("small".to_owned(), small)]), embeddings: BTreeMap::new() };
        let door = Door::with(move |services| services.assistant.assistant.models = Arc::new(models));
        let (admin, ada) = (door.person(Role::Admin).await, door.person(Role::User).await);
        written(&door, &admin, "sell", 2).await;
        assert_eq!(split(&door, &admin, "sell", &[(2, 1)]).await.status, 200);
        Self { door, admin, ada, model }
    }

    async fn ask(&self, body: Value) -> Reply {
        send(&self.door, Method::POST, "/sell/generations", &self.ada, Some(body)).await
    }

    /// With a key.
    async fn ask_once(&self, key: &str, body: &Value) -> Reply {
        let request = TestRequest::post().uri(PATH).insert_header(self.door.bearer(&self.ada));
        self.door.send(request.insert_header(("idempotency-key", key)).set_json(body)).await
    }

    /// An answer as it is said: where it is told how it went, and what its events say.
    async fn aloud(&self, body: &Value) -> (String, Vec<Value>) {
        let drawn = souk_api::app::Drawn::of(&self.door.services);
        let app = test::init_service(souk_api::build(&self.door.services, &drawn)).await;
        let request = TestRequest::post().uri(PATH).insert_header(self.door.bearer(&self.ada));
        let request = request.insert_header(("accept", "text/event-stream"));
        let answer = test::call_service(&app, request.set_json(body).to_request()).await;
        let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!((answer.status().as_u16(), header("content-type")), (201, "text/event-stream".to_owned()));
        let location = header("location");
        let text = String::from_utf8(test::read_body(answer).await.to_vec()).unwrap().replace(": \n\n", "");
        let data = text.split_terminator("\n\n").map(|one| one.strip_prefix("data: ").unwrap());
        (location, data.map(|data| serde_json::from_str(data).unwrap()).collect())
    }

    async fn get(&self, path: &str, by: &Principal) -> Reply {
        let request = TestRequest::get().uri(path).insert_header(self.door.bearer(by));
        self.door.send(request).await
    }

    async fn outcome(&self, id: &Value, by: &Principal, body: Value) -> Reply {
        self.door.post(&format!("/api/v1/assistant/generations/{}/outcome", id.as_str().unwrap()), by, &body).await
    }
}

fn lamp() -> Value {
    json!({ "variables": { "title": "lamp" } })
}

#[actix_web::test]
async fn an_answer_says_which_version_it_is_of_and_is_kept_nowhere() {
    let asked = Asked::of([Script::Says("A fine lamp", Some(USED)), Script::Says("A lamp", None)]).await;
    let made = asked.ask(lamp()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let told = made.json();
    assert_eq!((&told["version"], &told["model"], &told["text"]), (&json!(2), &json!("small"), &json!("A fine lamp")));
    assert_eq!((&told["finish"], &told["reasoning"]), (&json!("stop"), &Value::Null));
    assert_eq!((&told["usage"]["inputTokens"], &told["usage"]["estimated"]), (&json!(4), &json!(false)));
    let question = asked.model.asked()[0].messages[0].texts().collect::<String>();
    assert_eq!((question.as_str(), asked.model.asked()[0].temperature), ("Version 2.", Some(0.5)));
    let location = made.header("location").to_owned();
    assert_eq!(location, format!("/api/v1/assistant/generations/{}", told["id"].as_str().unwrap()));
    let record = asked.get(&location, &asked.ada).await;
    assert_eq!((&record.json()["state"], &record.json()["version"]), (&json!("done"), &json!(2)));
    assert!(!record.text.contains("fine"), "{}", record.text);
    assert_eq!(asked.get(&location, &asked.admin).await.status, 404, "it is who asked it alone");
    let second = asked.ask(json!({ "variables": { "title": "lamp" }, "version": 1 })).await.json();
    assert_eq!((&second["version"], &second["usage"]["estimated"]), (&json!(1), &json!(true)));

    asked.door.store.write(&domain::assistant::Batch::default()).await.unwrap();
    let calls = asked.door.store.books().calls;
    let named: BTreeSet<_> =
        calls.values().map(|row| json!(row.call.generation.unwrap())).map(|id| id.to_string()).collect();
    assert_eq!(named, BTreeSet::from([told["id"].to_string(), second["id"].to_string()]));
}

#[actix_web::test]
async fn what_is_no_answer_is_told_and_counted() {
    let fault = |class| Script::Fails(Fault::new(class, "no"));
    let asked = Asked::of([fault(FaultClass::ContentPolicy), Script::Says("No JSON", Some(USED))]).await;
    assert_eq!(asked.ask(lamp()).await.status, 422);
    let json_version = json!({
        "messages": [{ "role": "user", "template": "Describe {{ title }}" }],
        "variables": [{ "name": "title", "type": "text" }],
        "answer": { "type": "json", "schema": { "type": "object" } },
        "reasoning": { "form": "steps" },
    });
    let versions = "/sell/versions";
    assert_eq!(send(&asked.door, Method::POST, versions, &asked.admin, Some(json_version)).await.json()["number"], 3);
    let third = |title: &str| json!({ "version": 3, "variables": { "title": title } });
    let refused = asked.ask(third("lamp")).await;
    assert_eq!(
        (refused.status, refused.json()["error"]["details"]["reason"].clone()),
        (502, json!("provider_invalid_answer"))
    );
    let long = asked.ask(third(&"x".repeat(1000))).await;
    assert_eq!(long.broken(), ["body /variables context_length"]);
    assert_eq!(asked.ask(json!({ "version": 3 })).await.broken(), ["body /variables/title required"]);
    let other = json!({ "messages": [{ "role": "user", "template": "Hi" }], "model": "gone" });
    assert_eq!(send(&asked.door, Method::POST, versions, &asked.admin, Some(other)).await.json()["number"], 4);
    assert_eq!(asked.ask(json!({ "version": 4 })).await.status, 409, "there is no such model");
    let rules = json!({ "messages": [{ "role": "system", "template": "Be brief" }] });
    assert_eq!(send(&asked.door, Method::POST, versions, &asked.admin, Some(rules)).await.json()["number"], 5);
    assert_eq!(asked.ask(json!({ "version": 5 })).await.status, 409, "it asks nothing");

    asked.door.fixtures.clock.advance(Duration::from_secs(1));
    let report = asked.get("/api/v1/assistant/prompts/sell/report", &asked.admin).await.json();
    let told: Vec<_> = report["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["version"].clone(), one["failed"].clone()))
        .collect();
    assert_eq!(told, [(json!(2), json!(1)), (json!(3), json!(2))], "{report}");
    assert_eq!(asked.get("/api/v1/assistant/prompts/sell/report", &asked.ada).await.status, 403);
    let deleted = send(&asked.door, Method::DELETE, "/sell", &asked.admin, None).await;
    assert_eq!(deleted.status, 409, "{}", deleted.text);

    let door = Door::new();
    let admin = door.person(Role::Admin).await;
    written(&door, &admin, "sell", 1).await;
    let body = json!({ "version": 1, "variables": { "title": "lamp" } });
    let away = send(&door, Method::POST, "/sell/generations", &admin, Some(body)).await;
    assert_eq!(
        (away.status, away.json()["error"]["details"]["reason"].clone()),
        (503, json!("assistant_not_configured"))
    );
}

#[actix_web::test]
async fn steps_are_told_apart_from_the_answer() {
    let answer = "Lamps light.\n### Answer\nA light.";
    let asked = Asked::of([Script::Says(answer, Some(USED)), Script::Says("A light.", Some(USED))]).await;
    let version =
        json!({ "messages": [{ "role": "user", "template": "Describe it" }], "reasoning": { "form": "steps" } });
    assert_eq!(send(&asked.door, Method::POST, "/sell/versions", &asked.admin, Some(version)).await.status, 201);
    let told = asked.ask(json!({ "version": 3 })).await.json();
    assert_eq!(
        (&told["text"], &told["reasoning"], &told["reasoningMarked"]),
        (&json!("A light."), &json!("Lamps light."), &json!(true))
    );
    let told = asked.ask(json!({ "version": 3 })).await.json();
    assert_eq!((&told["text"], &told["reasoningMarked"]), (&json!("A light."), &json!(false)), "it says so");
}

#[actix_web::test]
async fn outcomes_are_said_by_who_asked_and_reported_by_version() {
    let asked = Asked::of([Script::Says("A lamp", Some(USED))]).await;
    let mut ids = Vec::new();
    for _ in 0..30 {
        ids.push(asked.ask(lamp()).await.json()["id"].clone());
    }
    assert_eq!(asked.outcome(&ids[0], &asked.admin, json!({ "value": true })).await.status, 404);
    for (body, broken) in [
        (json!({}), "body /value required"),
        (json!({ "value": "yes" }), "body /value type"),
        (json!({ "value": 1e13 }), "body /value range"),
        (json!({ "value": 1, "metric": "Stars!" }), "body /metric pattern"),
    ] {
        let refused = asked.outcome(&ids[0], &asked.ada, body.clone()).await.broken();
        assert!(refused.contains(&broken.to_owned()), "{body}: {refused:?}");
    }
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(asked.outcome(id, &asked.ada, json!({ "value": false })).await.status, 200);
        let said = asked.outcome(id, &asked.ada, json!({ "value": number < 24 })).await;
        assert_eq!(said.json()["outcomes"].as_array().unwrap().len(), 1, "{}", said.text);
    }
    assert_eq!(asked.outcome(&ids[0], &asked.ada, json!({ "metric": "stars", "value": 4 })).await.status, 200);
    asked.door.fixtures.clock.advance(Duration::from_secs(1));
    let path = "/api/v1/assistant/prompts/sell/report";
    let report = asked.get(path, &asked.admin).await.json();
    let version = &report["versions"][0];
    assert_eq!((&version["version"], &version["runs"], &version["done"]), (&json!(2), &json!(30), &json!(30)));
    assert_eq!(
        (&version["calls"], &version["tokens"]["prompt"]),
        (&json!(30), &json!(29 * 4)),
        "the last is not settled yet"
    );
    let (stars, success) = (&version["outcomes"][0], &version["outcomes"][1]);
    assert_eq!(
        (&stars["count"], &stars["mean"], &stars["low"], &stars["tooFew"]),
        (&json!(1), &json!(4.0), &Value::Null, &json!(true))
    );
    assert_eq!(
        (&success["count"], &success["mean"], &success["share"], &success["tooFew"]),
        (&json!(30), &json!(0.8), &json!(true), &json!(false))
    );
    assert!(success["low"].as_f64().unwrap() > 0.6 && success["high"].as_f64().unwrap() < 0.92, "{success}");
    let before = asked.get(&format!("{path}?to=2000-01-01T00:00:00Z"), &asked.admin).await.json();
    assert_eq!(before["versions"], json!([]));
    let odd = asked.get(&format!("{path}?from=2031-01-01T00:00:00Z&to=2030-01-01T00:00:00Z"), &asked.admin).await;
    assert_eq!(odd.broken(), ["query from range"]);
}

#[actix_web::test]
async fn an_answer_comes_as_it_is_said_and_ends_with_all_that_the_whole_one_has() {
    let asked = Asked::of([Script::Says("A fine lamp", Some(USED))]).await;
    let (location, told) = asked.aloud(&lamp()).await;
    let (last, deltas) = told.split_last().unwrap();
    let said: String = deltas.iter().map(|one| one["text"].as_str().unwrap()).collect();
    assert!(deltas.iter().all(|one| one["type"] == "delta") && deltas.len() == 3, "{told:?}");
    assert_eq!((said.as_str(), &last["type"]), ("A fine lamp", &json!("generation")));
    let whole = asked.ask(lamp()).await.json();
    let mut same = last["generation"].clone();
    same["id"] = whole["id"].clone();
    assert_eq!(same, whole, "but for its id");
    assert_eq!(location, format!("/api/v1/assistant/generations/{}", last["generation"]["id"].as_str().unwrap()));
    assert_eq!(asked.get(&location, &asked.ada).await.json()["state"], "done");
}

#[actix_web::test]
async fn an_answer_that_breaks_off_ends_with_an_error_and_what_is_refused_is_no_stream() {
    let withheld = Script::Fails(Fault::new(FaultClass::ContentPolicy, "no"));
    let asked = Asked::of([Script::BreaksOff("A fine"), withheld]).await;
    let (location, told) = asked.aloud(&lamp()).await;
    let last = told.last().unwrap();
    assert_eq!((&last["type"], &last["error"]["details"]["reason"]), (&json!("error"), &json!("provider_cut")));
    assert!(last["error"]["message"].is_string() && last["error"]["requestId"].is_string(), "{last}");
    assert!(told.iter().all(|one| one["type"] != "generation"), "it passes for a whole one");
    let record = asked.get(&location, &asked.ada).await.json();
    assert_eq!((&record["state"], &record["reason"]), (&json!("failed"), &json!("cut")));

    let request = TestRequest::post().uri(PATH).insert_header(asked.door.bearer(&asked.ada)).set_json(lamp());
    let refused = asked.door.send(request.insert_header(("accept", "text/event-stream, */*"))).await;
    assert_eq!((refused.status, refused.header("content-type")), (422, "application/json"), "{}", refused.text);
    let request = TestRequest::post().uri(PATH).insert_header(asked.door.bearer(&asked.ada)).set_json(lamp());
    let request = request.insert_header(("idempotency-key", "k")).insert_header(("accept", "text/event-stream"));
    let refused = asked.door.send(request).await;
    assert!(refused.status == 400 && refused.text.contains("Idempotency-Key"), "{}", refused.text);
}

#[actix_web::test]
async fn with_a_key_a_model_is_asked_once_for_an_answer_and_again_for_none() {
    let away = Script::Fails(Fault::new(FaultClass::Timeout, "no"));
    let asked = Asked::of([away, Script::Says("A fine lamp", Some(USED))]).await;
    assert_eq!(asked.ask_once("k-1", &lamp()).await.status, 504);
    let first = asked.ask_once("k-1", &lamp()).await;
    assert_eq!((first.status, asked.model.asked().len()), (201, 2), "{}", first.text);
    let again = asked.ask_once("k-1", &lamp()).await;
    assert_eq!((again.status, &again.text, again.header("location")), (201, &first.text, first.header("location")));
    assert_eq!((again.header("idempotency-replayed"), again.header("cache-control")), ("true", "no-store"));
    let other = json!({ "variables": { "title": "pen" } });
    assert_eq!(asked.ask_once("k-1", &other).await.status, 422);
    assert_eq!(asked.model.asked().len(), 2, "nobody was asked again");
    let fresh = asked.ask_once("k-2", &lamp()).await;
    assert_ne!(fresh.json()["id"], first.json()["id"]);
}
