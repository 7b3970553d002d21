//! Answers that are kept, in process.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actix_web::test::{self, TestRequest};
use domain::{
    Principal,
    assistant::{
        Embedding, Models, Usage,
        kept::{KeepWhen, KeptAnswers},
    },
    permission::Role,
    testing::{PlainAnswers, PlainModel, PlainSealer, PlainVectors, Script},
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply, small};

const USED: Usage = Usage { prompt: 4, completion: 2, cached: 1, reasoning: 0 };

struct Asked {
    door: Door,
    ada: Principal,
    model: Arc<PlainModel>,
    answers: Arc<PlainAnswers>,
}

impl Asked {
    async fn of(script: impl IntoIterator<Item = Script>) -> Self {
        let model = PlainModel::new(script);
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
        let answers = Arc::<PlainAnswers>::default();
        let kept = KeptAnswers {
            store: answers.clone(),
            sealer: Arc::new(PlainSealer),
            when: KeepWhen::Always,
            fresh: Duration::from_hours(24),
            longest: 10_000,
        };
        let door = Door::with(move |services| {
            services.assistant.assistant.models = Arc::new(models);
            services.assistant.assistant.kept = Some(kept);
        });
        let ada = door.person(Role::User).await;
        Self { door, ada, model, answers }
    }

    async fn post(&self, path: &str, body: &Value, wish: &str) -> Reply {
        let request = TestRequest::post().uri(path).insert_header(self.door.bearer(&self.ada));
        self.door.send(request.insert_header(("cache-control", wish)).set_json(body)).await
    }

    async fn chat(&self, body: &Value) -> Reply {
        self.post("/v1/chat/completions", body, "").await
    }

    /// A stream as it was written, with what it says of having been kept, and its form.
    async fn streamed(&self, body: &Value) -> (String, String, String) {
        let drawn = souk_api::app::Drawn::of(&self.door.services);
        let app = test::init_service(souk_api::build(&self.door.services, &drawn)).await;
        let request = TestRequest::post().uri("/v1/chat/completions").insert_header(self.door.bearer(&self.ada));
        let answer = test::call_service(&app, request.set_json(body).to_request()).await;
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let (status, form) = (header("cache-status"), header("content-type"));
        (String::from_utf8(test::read_body(answer).await.to_vec()).unwrap(), status, form)
    }
}

fn hello() -> Value {
    json!({ "model": "small", "messages": [{ "role": "user", "content": "Hello?" }] })
}

#[actix_web::test]
async fn an_answer_is_given_again_byte_for_byte_until_something_of_the_question_is_another() {
    let asked = Asked::of([Script::Says("Hello you", Some(USED))]).await;
    let first = asked.chat(&hello()).await;
    assert_eq!((first.status, first.header("cache-status")), (200, "souk; fwd=miss; stored"), "{}", first.text);
    asked.door.fixtures.clock.advance(Duration::from_secs(10));
    let again = asked.chat(&hello()).await;
    assert_eq!((again.header("cache-status"), again.header("age")), ("souk; hit; ttl=86390", "10"));
    assert_eq!((&again.text, again.status), (&first.text, 200));
    for (name, value) in [
        ("seed", json!(7)),
        ("temperature", json!(0.5)),
        ("max_tokens", json!(5)),
        ("unheard_of", json!(1)),
        ("stream", json!(true)),
        ("messages", json!([{ "role": "user", "content": "Hello!" }])),
        ("response_format", json!({ "type": "json_object" })),
        ("tools", json!([{ "type": "function", "function": { "name": "f" } }])),
    ] {
        let mut body = hello();
        body[name] = value;
        let reply = asked.chat(&body).await;
        assert!(reply.header("cache-status").starts_with("souk; fwd=miss"), "{name}");
    }
    assert_eq!(asked.model.asked().len(), 9);
    let several = json!({ "model": "small", "messages": [{ "role": "user", "content": "Hello?" }], "n": 2 });
    assert_eq!(asked.chat(&several).await.header("cache-status"), "souk; fwd=bypass");
}

#[actix_web::test]
async fn a_stream_is_given_again_as_one_and_what_breaks_off_is_not_kept() {
    let script = [Script::BreaksOff("Hello"), Script::Wants("f", "{\"half"), Script::Says("Hello you", None)];
    let asked = Asked::of(script).await;
    let mut body = hello();
    body["stream"] = true.into();
    for code in ["provider_cut", "tool_calls"] {
        let (text, ..) = asked.streamed(&body).await;
        assert!(text.contains(code), "{text}");
        assert_eq!(asked.answers.count(), 0, "{code}");
    }
    let (first, status, _) = asked.streamed(&body).await;
    assert_eq!(status, "souk; fwd=miss");
    let (again, status, form) = asked.streamed(&body).await;
    assert_eq!((status.as_str(), form.as_str()), ("souk; hit; ttl=86400", "text/event-stream"));
    assert!(again.ends_with("data: [DONE]\n\n") && again == first, "{again}");
    assert_eq!(asked.model.asked().len(), 3);
}

#[actix_web::test]
async fn vectors_are_kept_too_and_a_caller_may_want_none_of_it() {
    let asked = Asked::of([Script::Says("Hello", None)]).await;
    let vectors = |wish: &'static str| {
        let body = json!({ "model": "vectors", "input": ["a b", "c"] });
        let asked = &asked;
        async move { asked.post("/v1/embeddings", &body, wish).await }
    };
    let refused = vectors("only-if-cached").await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (504, &json!("not_cached")));
    assert_eq!(vectors("no-store").await.header("cache-status"), "souk; fwd=miss");
    let first = vectors("").await;
    assert_eq!(first.header("cache-status"), "souk; fwd=miss; stored");
    let again = vectors("only-if-cached").await;
    assert_eq!((again.header("cache-status"), &again.text), ("souk; hit; ttl=86400", &first.text));
    assert_eq!(vectors("no-cache").await.header("cache-status"), "souk; fwd=request; stored");
}

#[actix_web::test]
async fn where_none_are_kept_nothing_is_said_of_it() {
    let asked = Asked::of([Script::Says("Hello", None)]).await;
    let Asked { door, ada, .. } = &asked;
    let plain = Door::new();
    let reply = plain.post("/v1/chat/completions", &plain.person(Role::User).await, &hello()).await;
    assert_eq!((reply.status, reply.header("cache-status")), (503, ""));
    let odd = door
        .post(
            "/v1/chat/completions",
            ada,
            &json!({ "model": "large", "messages": [{ "role": "user", "content": "x" }] }),
        )
        .await;
    assert_eq!(odd.status, 404);
}
