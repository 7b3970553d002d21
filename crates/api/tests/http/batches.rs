//! Files and batches of questions in the protocol of `OpenAI`, in process.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use actix_web::test::TestRequest;
use domain::{
    Actor, Authorized, Principal,
    assistant::{
        Embedding, Fault, FaultClass, Models, Usage,
        batches::{Endpoint, Said, ports::LineDoor},
    },
    limit::Policy,
    permission::{Role, UseAssistant},
    testing::{PlainModel, PlainVectors, Script},
};
use serde_json::{Map, Value, json};
use souk_api::openai::Lines;

use crate::setup::{Door, Reply, small};

const USED: Usage = Usage { prompt: 4, completion: 2, cached: 1, reasoning: 0 };

struct Asked {
    door: Door,
    ada: Principal,
}

impl Asked {
    async fn of(script: Script) -> Self {
        Self::limited(script, Vec::new()).await
    }

    async fn limited(script: Script, limits: Vec<Policy>) -> Self {
        let model = PlainModel::new([script]);
        let vectors = Embedding {
            name: "vectors".to_owned(),
            deployment: "plain/vectors".to_owned(),
            embedder: Arc::new(PlainVectors),
            window: 1000,
            counts: None,
        };
        let small = domain::assistant::Model { limits, ..small(&model) };
        let models = Models {
            chat: BTreeMap::from([("small".to_owned(), small)]),
            embeddings: BTreeMap::from([("vectors".to_owned(), vectors)]),
        };
        let door = Door::with(move |services| services.assistant.assistant.models = Arc::new(models));
        let ada = door.person(Role::User).await;
        Self { door, ada }
    }

    async fn bring(&self, parts: &[(&str, &str)]) -> Reply {
        let mut body = String::new();
        for (head, text) in parts {
            let _ = write!(body, "--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n");
        }
        body.push_str("--edge--\r\n");
        let request = TestRequest::post().uri("/v1/files").insert_header(self.door.bearer(&self.ada));
        let request = request.insert_header(("content-type", "multipart/form-data; boundary=edge"));
        self.door.send(request.set_payload(body)).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.door.send(TestRequest::get().uri(path).insert_header(self.door.bearer(&self.ada))).await
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.door.post(path, &self.ada, body).await
    }

    fn lines(&self) -> (Lines, Authorized<UseAssistant>) {
        let services = &self.door.services;
        let lines = Lines { assistant: services.assistant.assistant.clone(), shop: services.shop.clone() };
        (lines, Actor::Signed(self.ada.clone()).authorize().unwrap())
    }
}

const FILE: &str = "name=\"file\"; filename=\"asked.jsonl\"";
const PURPOSE: &str = "name=\"purpose\"";

fn error(reply: &Reply) -> String {
    let error = &reply.json()["error"];
    format!("{} {} {}", reply.status, error["code"], error["param"]).replace('"', "")
}

#[actix_web::test]
async fn a_file_is_brought_in_any_order_of_the_form_and_given_back() {
    let asked = Asked::of(Script::Says("Hello", Some(USED))).await;
    for parts in [[(PURPOSE, "batch"), (FILE, "{}\n")], [(FILE, "{}\n"), (PURPOSE, "batch")]] {
        let file = asked.bring(&parts).await;
        assert_eq!(file.status, 200, "{}", file.text);
        let file = file.json();
        let told = (&file["object"], &file["bytes"], &file["filename"], &file["purpose"]);
        assert_eq!(told, (&json!("file"), &json!(3), &json!("asked.jsonl"), &json!("batch")));
        let path = format!("/v1/files/{}", file["id"].as_str().unwrap());
        assert_eq!(asked.get(&path).await.json(), file);
        let content = asked.get(&format!("{path}/content")).await;
        assert_eq!((content.text.as_str(), content.header("cache-control")), ("{}\n", "no-store"));
        let deleted =
            asked.door.send(TestRequest::delete().uri(&path).insert_header(asked.door.bearer(&asked.ada))).await;
        assert_eq!(deleted.json(), json!({ "id": file["id"], "object": "file", "deleted": true }));
        assert_eq!(error(&asked.get(&path).await), "404 file_not_found id");
    }
}

#[actix_web::test]
async fn what_is_no_file_of_questions_is_refused_and_leaves_nothing() {
    let asked = Asked::of(Script::Says("Hello", Some(USED))).await;
    let long = "x".repeat(5000);
    for (parts, expected) in [
        (&[(FILE, "{}")][..], "400 missing_required_parameter purpose"),
        (&[(PURPOSE, "batch")], "400 missing_required_parameter file"),
        (&[(FILE, "{}"), (PURPOSE, "fine-tune")], "400 invalid_value purpose"),
        (&[(FILE, "{}"), (FILE, "{}"), (PURPOSE, "batch")], "400 invalid_value file"),
        (&[("name=\"file\"; filename=\"a/b\"", "{}"), (PURPOSE, "batch")], "400 invalid_value file"),
        (&[("name=\"file\"", "{}"), (PURPOSE, "batch")], "400 invalid_value file"),
        (&[(PURPOSE, &long)], "400 invalid_form null"),
        (&[(PURPOSE, "batch"), (FILE, &long)], "413 payload_too_large null"),
    ] {
        assert_eq!(error(&asked.bring(parts).await), expected);
    }
    let bare = TestRequest::post().uri("/v1/files").insert_header(asked.door.bearer(&asked.ada)).set_payload("{}");
    assert_eq!(error(&asked.door.send(bare).await), "400 invalid_form null");
    assert_eq!(asked.get("/v1/files").await.json()["data"], json!([]));
}

#[actix_web::test]
async fn a_batch_is_made_of_a_file_listed_and_cancelled() {
    let asked = Asked::of(Script::Says("Hello", Some(USED))).await;
    let file = asked.bring(&[(PURPOSE, "batch"), (FILE, "{}\n")]).await.json();
    let new = json!({ "input_file_id": file["id"], "endpoint": "/v1/embeddings", "completion_window": "24h" });
    let with = |field: &str, value: Value| {
        let mut body = new.clone();
        body[field] = value;
        body
    };
    for (body, expected) in [
        (with("input_file_id", Value::Null), "400 missing_required_parameter input_file_id"),
        (with("input_file_id", "file_1".into()), "400 invalid_value input_file_id"),
        (with("input_file_id", format!("file-{}", "0".repeat(32)).into()), "404 file_not_found input_file_id"),
        (with("endpoint", "/v1/responses".into()), "400 invalid_value endpoint"),
        (with("completion_window", "1h".into()), "400 invalid_value completion_window"),
        (with("metadata", json!({ "a": 1 })), "400 invalid_value metadata"),
        (with("metadata", json!({ "a": "\0" })), "400 invalid_value metadata"),
        (
            with("metadata", (0..17).map(|n| (n.to_string(), json!("x"))).collect::<Map<_, _>>().into()),
            "400 invalid_value metadata",
        ),
    ] {
        assert_eq!(error(&asked.post("/v1/batches", &body).await), expected);
    }
    let batch = asked.post("/v1/batches", &with("metadata", json!({ "für": "日本" }))).await.json();
    assert_eq!(
        (&batch["object"], &batch["status"], &batch["errors"]),
        (&json!("batch"), &json!("validating"), &Value::Null)
    );
    assert_eq!(batch["expires_at"].as_i64().unwrap() - batch["created_at"].as_i64().unwrap(), 86_400);
    assert_eq!((&batch["input_file_id"], &batch["metadata"]), (&file["id"], &json!({ "für": "日本" })));
    let path = format!("/v1/batches/{}", batch["id"].as_str().unwrap());
    assert_eq!(asked.get(&path).await.json(), batch);
    let listed = asked.get("/v1/batches?limit=1").await.json();
    assert_eq!(
        (&listed["data"], &listed["has_more"], &listed["last_id"]),
        (&json!([batch]), &json!(false), &batch["id"])
    );
    let deleted = TestRequest::delete().uri(&format!("/v1/files/{}", file["id"].as_str().unwrap()));
    assert_eq!(asked.door.send(deleted.insert_header(asked.door.bearer(&asked.ada))).await.status, 409);
    assert_eq!(asked.post(&format!("{path}/cancel"), &json!({})).await.json()["status"], "cancelling");
    for (query, expected) in [
        ("limit=0", "400 invalid_value limit"),
        ("limit=101", "400 invalid_value limit"),
        ("limit=1&limit=2", "400 invalid_value null"),
        ("after=batch_1", "400 invalid_value after"),
    ] {
        assert_eq!(error(&asked.get(&format!("/v1/batches?{query}")).await), expected);
    }
    assert_eq!(error(&asked.get("/v1/files?order=up").await), "400 invalid_value order");
    assert_eq!(error(&asked.get("/v1/files?purpose=assistants").await), "400 invalid_value purpose");
    assert_eq!(error(&asked.get("/v1/batches/batch_1").await), "404 batch_not_found id");
    // Nobody else knows of it.
    let eve = asked.door.person(Role::Admin).await;
    let other = Asked { ada: eve, ..asked };
    assert_eq!(error(&other.get(&path).await), "404 batch_not_found id");
    assert_eq!(error(&other.post(&format!("{path}/cancel"), &json!({})).await), "404 batch_not_found id");
    assert_eq!(error(&other.post("/v1/batches", &new).await), "404 file_not_found input_file_id");
}

#[actix_web::test]
async fn without_a_provider_and_without_a_caller_there_is_nothing() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    let asked = Asked { door, ada };
    for path in ["/v1/files", "/v1/files/file-1", "/v1/files/file-1/content", "/v1/batches", "/v1/batches/batch_1"] {
        assert_eq!(error(&asked.get(path).await), "503 assistant_not_configured null", "{path}");
        assert_eq!(asked.door.get(path).await.status, 401, "{path}");
    }
    assert_eq!(error(&asked.bring(&[(PURPOSE, "batch"), (FILE, "{}")]).await), "503 assistant_not_configured null");
    for path in ["/v1/batches", "/v1/batches/batch_1/cancel"] {
        assert_eq!(error(&asked.post(path, &json!({})).await), "503 assistant_not_configured null");
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn hello() -> Map<String, Value> {
    object(&json!({ "model": "small", "messages": [{ "role": "user", "content": "Hello?" }] }))
}

#[actix_web::test]
async fn a_line_is_read_by_the_reader_of_its_door() {
    let asked = Asked::of(Script::Says("Hello", Some(USED))).await;
    let (lines, by) = asked.lines();
    let check = |endpoint, body: Map<String, Value>| {
        lines.check(by.principal(), endpoint, &body).map_err(|fault| format!("{} {:?}", fault.code, fault.param))
    };
    assert_eq!(check(Endpoint::Chat, hello()), Ok(()));
    let with = |field: &str, value: Value| {
        let mut body = hello();
        body.insert(field.to_owned(), value);
        body
    };
    let refused = |endpoint, body| check(endpoint, body).unwrap_err();
    assert_eq!(refused(Endpoint::Chat, with("stream", true.into())), "invalid_value Some(\"stream\")");
    assert_eq!(refused(Endpoint::Chat, with("n", 99.into())), "invalid_value Some(\"n\")");
    assert_eq!(refused(Endpoint::Chat, with("model", "vectors".into())), "model_not_found Some(\"model\")");
    assert_eq!(refused(Endpoint::Embeddings, hello()), "invalid_value Some(\"input\")");
    let vectors = object(&json!({ "model": "vectors", "input": "a lamp" }));
    assert_eq!(check(Endpoint::Embeddings, vectors), Ok(()));
    let narrow = asked.ada.clone().for_models(Some(vec!["vectors".to_owned()]));
    let fault = lines.check(&narrow, Endpoint::Chat, &hello()).unwrap_err();
    assert_eq!((fault.code.as_str(), fault.param.as_deref()), ("model_not_found", Some("model")));
}

#[actix_web::test]
async fn a_line_is_answered_as_the_door_answers_and_says_when_to_come_again() {
    let asked = Asked::of(Script::Says("Hello\nyou", Some(USED))).await;
    let (lines, by) = asked.lines();
    let Said::Answer { body, usage } = lines.ask(&by, Endpoint::Chat, "r", hello()).await else { panic!("no answer") };
    assert_eq!((usage, body.lines().count()), (USED, 1));
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["choices"][0]["message"]["content"], "Hello\nyou");
    let vectors = object(&json!({ "model": "vectors", "input": "a lamp" }));
    assert!(matches!(lines.ask(&by, Endpoint::Embeddings, "r", vectors).await, Said::Answer { .. }));

    let wait = std::time::Duration::from_secs(7);
    for (class, retry_after, expected) in [
        (FaultClass::Refused, None, "Refused(400)"),
        (FaultClass::Unavailable, None, "Failed(503)"),
        (FaultClass::Unavailable, Some(wait), "Later(7s, 503)"),
        (FaultClass::RateLimited, Some(wait), "Later(7s, 429)"),
        (FaultClass::Authentication, None, "Failed(502)"),
    ] {
        let fault = Fault { retry_after, ..Fault::new(class, "no") };
        let (lines, by) = Asked::of(Script::Fails(fault)).await.lines();
        assert_eq!(format!("{:?}", lines.ask(&by, Endpoint::Chat, "r", hello()).await), expected);
    }
}

#[actix_web::test]
async fn lines_leave_half_of_a_models_room_to_others() {
    let minute = std::time::Duration::from_mins(1);
    let policy =
        Policy { name: "assistant:small:all".into(), limit: 4, window: minute, patience: std::time::Duration::ZERO };
    let asked = Asked::limited(Script::Says("Hello", Some(USED)), vec![policy]).await;
    let (lines, by) = asked.lines();
    for expected in ["Answer", "Answer", "Later(1.5s, 429)", "Later(1.5s, 429)"] {
        let said = format!("{:?}", lines.ask(&by, Endpoint::Chat, "r", hello()).await);
        assert!(said.starts_with(expected), "{said}");
    }
    for status in [200, 200, 429] {
        assert_eq!(asked.post("/v1/chat/completions", &Value::Object(hello())).await.status, status);
    }
}
