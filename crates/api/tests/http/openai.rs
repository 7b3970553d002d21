//! The protocol of `OpenAI`, in process.

use std::{collections::BTreeMap, sync::Arc};

use actix_web::test::{self, TestRequest};
use domain::{
    Principal,
    assistant::{
        Budget, BudgetBy, BudgetSpan, Embedding, Fault, FaultClass, Models, Usage,
        terms::{Standing, Terms},
    },
    permission::Role,
    testing::{PlainModel, PlainVectors, Script},
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply, small};

const USED: Usage = Usage { prompt: 4, completion: 2, cached: 1, reasoning: 0 };

struct Asked {
    door: Door,
    ada: Principal,
    model: Arc<PlainModel>,
}

impl Asked {
    async fn of(script: Script) -> Self {
        Self::with(script, Arc::from([])).await
    }

    async fn with(script: Script, budgets: Arc<[Budget]>) -> Self {
        let model = PlainModel::new([script]);
        let vectors = Embedding {
            name: "vectors".to_owned(),
            deployment: "plain/vectors".to_owned(),
            embedder: Arc::new(PlainVectors),
            window: 1000,
            counts: None,
        };
        let models = Models {
            chat: BTreeMap::from([("small".to_owned(), small(&model))]),
            embeddings: BTreeMap::from([("vectors".to_owned(), vectors)]),
        };
        let door = Door::with(move |services| {
            services.assistant.assistant.models = Arc::new(models);
            let terms = Terms { budgets: budgets.to_vec(), ..Terms::default() };
            services.assistant.assistant.terms = Arc::new(Standing::new(terms));
        });
        let ada = door.person(Role::User).await;
        Self { door, ada, model }
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.door.post(path, &self.ada, body).await
    }

    async fn chat(&self, body: &Value) -> Reply {
        self.post("/v1/chat/completions", body).await
    }

    /// An answer piece by piece, as it was written.
    async fn streamed(&self, body: &Value) -> String {
        let drawn = souk_api::app::Drawn::of(&self.door.services);
        let app = test::init_service(souk_api::build(&self.door.services, &drawn)).await;
        let request = TestRequest::post().uri("/v1/chat/completions").insert_header(self.door.bearer(&self.ada));
        let answer = test::call_service(&app, request.set_json(body).to_request()).await;
        assert_eq!(answer.headers().get("content-type").unwrap(), "text/event-stream");
        String::from_utf8(test::read_body(answer).await.to_vec()).unwrap()
    }
}

fn hello() -> Value {
    json!({ "model": "small", "messages": [{ "role": "user", "content": "Hello?" }], "unheard_of": { "a": 1 } })
}

fn error(reply: &Reply) -> String {
    let error = &reply.json()["error"];
    format!("{} {} {} {}", reply.status, error["type"], error["code"], error["param"]).replace('"', "")
}

#[actix_web::test]
async fn an_answer_is_given_whole_in_the_form_of_the_protocol() {
    let asked = Asked::of(Script::Says("Hello you", Some(USED))).await;
    let reply = asked.chat(&hello()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body = reply.json();
    assert_eq!((&body["object"], &body["model"]), (&json!("chat.completion"), &json!("small")));
    assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!(body["choices"][0]["message"]["content"], "Hello you");
    assert_eq!((&body["choices"][0]["finish_reason"], &body["usage"]["total_tokens"]), (&json!("stop"), &json!(6)));
    let original = asked.model.asked()[0].original.clone().unwrap();
    assert_eq!(original["unheard_of"], json!({ "a": 1 }), "what is not known here goes on");
}

#[actix_web::test]
async fn an_answer_comes_piece_by_piece_and_says_what_it_used_when_it_is_asked() {
    let asked = Asked::of(Script::Says("Hello you", Some(USED))).await;
    let mut body = hello();
    body["stream"] = true.into();
    let text = asked.streamed(&body).await;
    let data =
        |text: &str| text.split("\n\n").filter_map(|one| one.strip_prefix("data: ")).map(str::to_owned).collect();
    let pieces: Vec<String> = data(&text);
    assert_eq!(pieces.last().unwrap(), "[DONE]");
    assert!(!text.contains("prompt_tokens"));
    let first: Value = serde_json::from_str(&pieces[0]).unwrap();
    assert_eq!(first["choices"][0]["delta"], json!({ "content": "Hello ", "role": "assistant" }));
    body["stream_options"] = json!({ "include_usage": true });
    let pieces: Vec<String> = data(&asked.streamed(&body).await);
    let last: Value = serde_json::from_str(&pieces[pieces.len() - 2]).unwrap();
    assert_eq!((&last["choices"], &last["usage"]["prompt_tokens"]), (&json!([]), &json!(4)));
    assert_eq!(last["usage"].get("estimated"), None, "the provider said it");

    // Of one who does not say, what is told is a guess and marked as one.
    let asked = Asked::of(Script::Says("Hello you", None)).await;
    let pieces: Vec<String> = data(&asked.streamed(&body).await);
    let last: Value = serde_json::from_str(&pieces[pieces.len() - 2]).unwrap();
    let usage = &last["usage"];
    assert_eq!((&usage["completion_tokens"], &usage["estimated"]), (&json!(3), &json!(true)), "{last}");
    body["stream_options"] = json!({});
    assert!(!asked.streamed(&body).await.contains("completion_tokens"));
}

#[actix_web::test]
async fn a_stream_that_is_cut_ends_with_an_error_and_never_as_if_it_were_whole() {
    let asked = Asked::of(Script::BreaksOff("Hello you")).await;
    let mut body = hello();
    body["stream"] = true.into();
    let text = asked.streamed(&body).await;
    assert!(text.contains("\"code\":\"provider_cut\"") && !text.contains("[DONE]"), "{text}");
}

#[actix_web::test]
async fn refusals_are_told_in_the_form_of_the_protocol() {
    let asked = Asked::of(Script::Says("Hello", None)).await;
    let with = |name: &str, value: Value| {
        let mut body = hello();
        body[name] = value;
        body
    };
    for (body, expected) in [
        (with("model", "large".into()), "404 invalid_request_error model_not_found model"),
        (with("model", Value::Null), "400 invalid_request_error missing_required_parameter model"),
        (with("messages", json!([])), "400 invalid_request_error invalid_value messages"),
        (with("messages", json!([{ "role": "boss" }])), "400 invalid_request_error invalid_value messages.[0].role"),
        (with("temperature", json!(3)), "400 invalid_request_error invalid_value temperature"),
        (with("max_tokens", json!(0)), "400 invalid_request_error invalid_value max_tokens"),
        (with("n", json!(9)), "400 invalid_request_error invalid_value n"),
        (
            with("tools", json!([{ "type": "function", "function": { "name": "a b" } }])),
            "400 invalid_request_error invalid_value tools.[0].function.name",
        ),
        (
            with("response_format", json!({ "type": "xml" })),
            "400 invalid_request_error invalid_value response_format.type",
        ),
        (
            with("messages", json!([{ "role": "user", "content": "long ".repeat(1000) }])),
            "400 invalid_request_error context_length_exceeded messages",
        ),
    ] {
        let reply = asked.chat(&body).await;
        assert_eq!(error(&reply), expected, "{}", reply.text);
    }
    let long = asked.chat(&with("messages", json!([{ "role": "user", "content": "x".repeat(70_000) }]))).await;
    assert_eq!(long.status, 413);
    assert!(long.json()["error"]["message"].as_str().unwrap().contains("65536"));
    let request = TestRequest::post().uri("/v1/chat/completions").insert_header(asked.door.bearer(&asked.ada));
    let odd = asked.door.send(request.set_payload("{")).await;
    assert_eq!(error(&odd), "400 invalid_request_error invalid_json null");
    let nobody = asked.door.send(TestRequest::post().uri("/v1/chat/completions").set_json(hello())).await;
    assert_eq!(error(&nobody), "401 invalid_request_error invalid_api_key null");
    let guest = asked.door.person(Role::Guest).await;
    for path in ["/v1/chat/completions", "/v1/embeddings"] {
        let reply = asked.door.post(path, &guest, &hello()).await;
        assert_eq!(error(&reply), "403 permission_error forbidden null", "{path}");
    }
    let request = TestRequest::get().uri("/v1/models").insert_header(asked.door.bearer(&guest));
    assert_eq!(asked.door.send(request).await.status, 403);
    assert_eq!(error(&asked.door.get("/v1/unheard/of").await), "404 invalid_request_error not_found null");
}

#[actix_web::test]
async fn faults_of_the_provider_and_budgets_have_codes_of_their_own() {
    for (class, expected) in [
        (FaultClass::RateLimited, "429 rate_limit_error provider_rate_limited null"),
        (FaultClass::ContextWindow, "400 invalid_request_error context_length_exceeded messages"),
        (FaultClass::ContentPolicy, "400 invalid_request_error content_filter null"),
        (FaultClass::Authentication, "502 server_error provider_authentication null"),
        (FaultClass::Refused, "400 invalid_request_error provider_refused null"),
        (FaultClass::Unavailable, "503 server_error provider_unavailable null"),
        (FaultClass::Timeout, "504 server_error provider_timeout null"),
        (FaultClass::InvalidAnswer, "502 server_error provider_invalid_answer null"),
    ] {
        let asked = Asked::of(Script::Fails(Fault::new(class, "no"))).await;
        assert_eq!(error(&asked.chat(&hello()).await), expected);
    }
    let budget = Budget {
        name: "daily".to_owned(),
        by: BudgetBy::User,
        subject: None,
        span: BudgetSpan::Day,
        model: None,
        cost: None,
        tokens: None,
        calls: Some(1),
    };
    let asked = Asked::with(Script::Says("Hello", Some(USED)), Arc::from([budget])).await;
    assert_eq!(asked.chat(&hello()).await.status, 200);
    let refused = asked.chat(&hello()).await;
    assert_eq!(error(&refused), "429 insufficient_quota insufficient_quota null");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[actix_web::test]
async fn vectors_and_models_are_there_too() {
    let asked = Asked::of(Script::Says("Hello", None)).await;
    let reply = asked.post("/v1/embeddings", &json!({ "model": "vectors", "input": ["a b", "c"] })).await;
    assert_eq!(reply.json()["data"][0]["embedding"], json!([3.0, 2.0]), "{}", reply.text);
    assert_eq!(reply.json()["usage"]["prompt_tokens"], 3);
    let body = json!({ "model": "vectors", "input": "a b", "encoding_format": "base64", "dimensions": 2 });
    assert_eq!(asked.post("/v1/embeddings", &body).await.json()["data"][0]["embedding"], "AABAQAAAAEA=");
    for body in [
        json!({ "model": "vectors" }),
        json!({ "model": "vectors", "input": [] }),
        json!({ "model": "vectors", "input": [1] }),
        json!({ "model": "vectors", "input": "a", "dimensions": 3 }),
    ] {
        assert_eq!(asked.post("/v1/embeddings", &body).await.status, 400);
    }
    let listed = |path: &'static str| {
        let request = TestRequest::get().uri(path).insert_header(asked.door.bearer(&asked.ada));
        asked.door.send(request)
    };
    let models = listed("/v1/models").await.json();
    assert_eq!((&models["data"][0]["id"], &models["data"][1]["id"]), (&json!("small"), &json!("vectors")));
    assert_eq!(listed("/v1/models/small").await.json()["object"], "model");
    assert_eq!(listed("/v1/models/large").await.status, 404);
}

#[actix_web::test]
async fn a_key_sees_and_asks_its_own_models_alone() {
    let asked = Asked::of(Script::Says("Hello", Some(USED))).await;
    let body = json!({ "name": "Robot", "scopes": ["assistant:use"], "models": ["small"] });
    let made = asked.post("/api/v1/api-keys", &body).await;
    assert_eq!((made.status, &made.json()["models"]), (201, &json!(["small"])), "{}", made.text);
    let bearer = ("authorization", format!("Bearer {}", made.json()["text"].as_str().unwrap()));
    let get = |path: &'static str| asked.door.send(TestRequest::get().uri(path).insert_header(bearer.clone()));
    let post = |path: &'static str, body: Value| {
        asked.door.send(TestRequest::post().uri(path).insert_header(bearer.clone()).set_json(body))
    };
    assert_eq!(get("/v1/models").await.json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(get("/v1/models/small").await.status, 200);
    let refused = "403 permission_error model_not_found model";
    assert_eq!(error(&get("/v1/models/vectors").await), refused);
    assert_eq!(post("/v1/chat/completions", hello()).await.status, 200);
    let texts = json!({ "model": "vectors", "input": "a b" });
    assert_eq!(error(&post("/v1/embeddings", texts.clone()).await), refused);
    // The next call knows that it is for others by now, and then for all.
    let path = format!("/api/v1/api-keys/{}", made.json()["id"].as_str().unwrap());
    for (models, chat, vectors) in [(json!(["vectors"]), 403, 200), (Value::Null, 200, 200)] {
        let patch = TestRequest::patch().uri(&path).insert_header(asked.door.bearer(&asked.ada));
        let changed = asked.door.send(patch.set_json(json!({ "models": models }))).await;
        assert_eq!((changed.status, &changed.json()["models"]), (200, &models), "{}", changed.text);
        assert_eq!(post("/v1/chat/completions", hello()).await.status, chat);
        assert_eq!(post("/v1/embeddings", texts.clone()).await.status, vectors);
    }
}

#[actix_web::test]
async fn without_a_provider_it_is_said_so_and_nothing_else_is_touched() {
    let door = Door::new();
    let ada = door.person(Role::User).await;
    for path in ["/v1/chat/completions", "/v1/embeddings"] {
        let body = json!({ "model": "small", "messages": [{ "role": "user", "content": "Hello?" }], "input": "a" });
        let reply = door.post(path, &ada, &body).await;
        assert_eq!(error(&reply), "503 server_error assistant_not_configured null");
    }
    let listed = door.send(TestRequest::get().uri("/v1/models").insert_header(door.bearer(&ada))).await;
    assert_eq!(error(&listed), "503 server_error assistant_not_configured null");
    assert_eq!(door.get("/api/v1/products").await.status, 200);
}
