//! Conversations and the door of `useChat`, in process.

use std::{collections::BTreeMap, sync::Arc};

use actix_web::test::{self, TestRequest};
use domain::{
    Principal,
    assistant::{Fault, FaultClass, Models, Usage},
    permission::Role,
    testing::{PlainModel, Script},
};
use serde_json::{Value, json};

use crate::setup::{Door, Reply, small};

const USED: Usage = Usage { prompt: 4, completion: 2, cached: 1, reasoning: 0 };

struct Talk {
    door: Door,
    ada: Principal,
    model: Arc<PlainModel>,
}

impl Talk {
    async fn of(script: impl IntoIterator<Item = Script>) -> Self {
        let model = PlainModel::new(script);
        let models =
            Models { chat: BTreeMap::from([("small".to_owned(), small(&model))]), embeddings: BTreeMap::new() };
        let door = Door::with(move |services| {
            services.chat.talks.assistant.models = Arc::new(models);
        });
        let ada = door.person(Role::User).await;
        Self { door, ada, model }
    }

    /// An answer as it was written, without what says that it goes on.
    async fn answer(&self, body: &Value) -> String {
        let drawn = souk_api::app::Drawn::of(&self.door.services);
        let app = test::init_service(souk_api::build(&self.door.services, &drawn)).await;
        let request = TestRequest::post().uri("/api/v1/chat").insert_header(self.door.bearer(&self.ada));
        let answer = test::call_service(&app, request.set_json(body).to_request()).await;
        assert_eq!(answer.headers().get("content-type").unwrap(), "text/event-stream");
        assert_eq!(answer.headers().get("x-vercel-ai-ui-message-stream").unwrap(), "v1");
        String::from_utf8(test::read_body(answer).await.to_vec()).unwrap().replace(": \n\n", "")
    }

    /// The types of its chunks, with what they say.
    async fn chunks(&self, body: &Value) -> Vec<String> {
        let text = self.answer(body).await;
        let told = text.split("\n\n").filter_map(|one| one.strip_prefix("data: "));
        let chunk = |data: &str| {
            let Ok(chunk) = serde_json::from_str::<Value>(data) else { return data.to_owned() };
            let said = ["delta", "errorText"].iter().find_map(|name| chunk[*name].as_str()).unwrap_or_default();
            format!("{} {said}", chunk["type"].as_str().unwrap()).trim_end().to_owned()
        };
        told.map(chunk).collect()
    }

    async fn post(&self, body: &Value) -> Reply {
        self.door.post("/api/v1/chat", &self.ada, body).await
    }

    async fn call(&self, request: TestRequest) -> Reply {
        self.door.send(request.insert_header(self.door.bearer(&self.ada))).await
    }

    async fn get(&self, path: &str) -> Reply {
        self.call(TestRequest::get().uri(path)).await
    }

    async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.call(TestRequest::patch().uri(path).set_json(body)).await
    }

    /// The path of the one conversation there is.
    async fn path(&self) -> String {
        let listed = self.get("/api/v1/conversations").await.json();
        format!("/api/v1/conversations/{}", listed["items"][0]["id"].as_str().unwrap())
    }
}

fn says(text: &'static str) -> Script {
    Script::Says(text, Some(USED))
}

fn user(id: &str, text: &str) -> Value {
    json!({ "id": id, "role": "user", "parts": [{ "type": "text", "text": text }] })
}

fn asks(id: &str, text: &str) -> Value {
    json!({ "id": "chat-1", "trigger": "submit-message", "messages": [user(id, text)] })
}

#[actix_web::test]
async fn an_answer_comes_in_the_ui_message_stream_protocol_and_is_kept() {
    let talk = Talk::of([says("Hello you"), says("Good")]).await;
    let told = talk.answer(&asks("m1", "Hello?")).await;
    let first: Value =
        serde_json::from_str(told.split("\n\n").next().unwrap().strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!((&first["type"], &first["messageMetadata"]["model"]), (&json!("start"), &json!("small")));
    let path = talk.path().await;
    let conversation = talk.get(&path).await.json();
    assert_eq!((&conversation["title"], &conversation["clientId"]), (&json!("Hello?"), &json!("chat-1")));
    let messages = talk.get(&format!("{path}/messages")).await.json();
    let answer = &messages["items"][1];
    assert_eq!(first["messageId"], answer["id"]);
    assert_eq!(
        (&answer["role"], &answer["state"], &answer["model"]),
        (&json!("assistant"), &json!("done"), &json!("small"))
    );
    assert_eq!(
        answer["parts"],
        json!([{ "type": "step-start" }, { "type": "text", "text": "Hello you", "state": "done" }])
    );
    assert_eq!(answer["usage"]["inputTokens"], 4);
    assert_eq!((&messages["items"][0]["parts"][0]["text"], &messages["nextBefore"]), (&json!("Hello?"), &json!(null)));
    let told = talk.chunks(&asks("m2", "How are you?")).await;
    assert_eq!((told[0].as_str(), told[1].as_str()), ("start", "start-step"));
    assert_eq!(told[told.len() - 4..], ["text-end", "finish-step", "finish", "[DONE]"]);
    let said: String = told.iter().filter_map(|chunk| chunk.strip_prefix("text-delta ")).collect();
    assert_eq!(said, "Good");
    let asked: Vec<_> = talk.model.asked()[1].messages.iter().map(|one| one.texts().collect::<String>()).collect();
    assert_eq!(asked, ["Hello?", "Hello you", "How are you?"], "what is stored is the truth");
    let nothing = talk.get("/api/v1/chat/chat-1/stream").await;
    assert_eq!((nothing.status, nothing.text.as_str()), (204, ""));
    let id = conversation["id"].as_str().unwrap();
    assert_eq!(talk.get(&format!("/api/v1/chat/{id}/stream")).await.status, 204);
    assert_eq!(talk.get("/api/v1/chat/other/stream").await.status, 404);
    assert_eq!(talk.call(TestRequest::delete().uri("/api/v1/chat/chat-1/stream")).await.status, 200);
}

#[actix_web::test]
async fn a_cut_answer_ends_with_an_error_and_never_as_if_it_were_whole() {
    let talk = Talk::of([Script::BreaksOff("Half of")]).await;
    let told = talk.chunks(&asks("m1", "Hello?")).await;
    assert_eq!(told[told.len() - 2..], ["error it broke off (provider_cut)", "[DONE]"], "{told:?}");
    let messages = talk.get(&format!("{}/messages", talk.path().await)).await.json();
    let answer = &messages["items"][1];
    assert_eq!((&answer["state"], &answer["parts"][1]["text"]), (&json!("cut"), &json!("Half of")));
    assert_eq!(answer["fault"], "it broke off (provider_cut)");
}

#[actix_web::test]
async fn another_answer_is_a_branch_that_can_be_left_again() {
    let talk = Talk::of([says("One"), says("Two")]).await;
    talk.answer(&asks("m1", "Hello?")).await;
    let path = talk.path().await;
    // Ids grow with time.
    talk.door.fixtures.clock.advance(std::time::Duration::from_millis(5));
    let before = talk.get(&format!("{path}/messages")).await.json();
    let again = json!({ "id": "chat-1", "trigger": "regenerate-message", "messageId": before["items"][1]["id"],
        "messages": [user("m1", "Hello?")] });
    talk.answer(&again).await;
    let after = talk.get(&format!("{path}/messages")).await.json();
    assert_eq!(after["items"][1]["parts"][1]["text"], "Two");
    assert_eq!(after["items"][1]["branches"], json!([before["items"][1]["id"], after["items"][1]["id"]]));
    let back = talk.patch(&path, &json!({ "activeMessageId": before["items"][1]["id"] })).await;
    assert_eq!(back.status, 200, "{}", back.text);
    let shown = talk.get(&format!("{path}/messages?limit=1")).await.json();
    assert_eq!(shown["items"][0]["parts"][1]["text"], "One");
    let earlier = talk.get(&format!("{path}/messages?before={}", shown["nextBefore"].as_str().unwrap())).await.json();
    assert_eq!(earlier["items"][0]["parts"][0]["text"], "Hello?");
    let odd = talk.get(&format!("{path}/messages?before={}", after["items"][1]["id"].as_str().unwrap())).await;
    assert_eq!((odd.status, odd.broken()), (400, vec!["query before unknown".to_owned()]));
}

#[actix_web::test]
async fn conversations_are_made_found_changed_taken_away_and_deleted() {
    let talk = Talk::of([says("Hello")]).await;
    let made = talk
        .door
        .post("/api/v1/conversations", &talk.ada, &json!({ "title": "Lampshades", "system": "Be brief" }))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location").to_owned();
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let mut ask = asks("m1", "A walnut one, please");
    ask["id"] = id.as_str().into();
    talk.answer(&ask).await;
    assert_eq!(talk.model.asked()[0].messages[0].texts().collect::<String>(), "Be brief");
    for (query, found) in [("lampsh", 1), ("WALNUT", 1), ("walnut chair", 0), ("", 1)] {
        let listed = talk.get(&format!("/api/v1/conversations?search={}", query.replace(' ', "+"))).await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), found, "{query}");
    }
    talk.door.post("/api/v1/conversations", &talk.ada, &json!({})).await;
    let first = talk.get("/api/v1/conversations?limit=1").await.json();
    let cursor = first["nextCursor"].as_str().unwrap();
    let rest = talk.get(&format!("/api/v1/conversations?limit=1&cursor={cursor}")).await.json();
    assert_ne!(first["items"][0]["id"], rest["items"][0]["id"]);
    assert_eq!(rest["nextCursor"], Value::Null);
    assert_eq!(talk.get("/api/v1/conversations?cursor=odd").await.broken(), ["query cursor cursor"]);

    let stale = talk
        .call(
            TestRequest::patch()
                .uri(&path)
                .insert_header(("If-Match", made.header("etag")))
                .set_json(json!({ "archived": true })),
        )
        .await;
    assert_eq!(stale.status, 412, "something was said meanwhile");
    let changed = talk.patch(&path, &json!({ "archived": true, "title": "Chairs", "system": null })).await.json();
    assert_eq!(
        (&changed["archived"], &changed["title"], &changed["system"]),
        (&json!(true), &json!("Chairs"), &json!(null))
    );
    assert_eq!(talk.get("/api/v1/conversations?archived=true").await.json()["items"][0]["id"], id);
    assert_eq!(
        talk.patch(&path, &json!({ "title": null, "colour": 1 })).await.broken(),
        ["body /title null", "body /colour unknown"]
    );
    let messages = talk.get(&format!("{path}/messages")).await.json();
    let message = format!("{path}/messages/{}", messages["items"][0]["id"].as_str().unwrap());
    assert_eq!(talk.patch(&message, &json!({ "pinned": true })).await.json()["pinned"], true);
    assert_eq!(talk.patch(&message, &json!({})).await.broken(), ["body /pinned required"]);

    let drawn = souk_api::app::Drawn::of(&talk.door.services);
    let app = test::init_service(souk_api::build(&talk.door.services, &drawn)).await;
    let request = TestRequest::get().uri(&format!("{path}/export")).insert_header(talk.door.bearer(&talk.ada));
    let export = test::call_service(&app, request.to_request()).await;
    assert_eq!(
        export.headers().get("content-disposition").unwrap(),
        &format!("attachment; filename=\"conversation-{id}.json\"")
    );
    let export: Value = serde_json::from_slice(&test::read_body(export).await).unwrap();
    assert_eq!((&export["conversation"]["id"], export["messages"].as_array().unwrap().len()), (&json!(id), 2));

    // Nobody else sees it, whoever they are.
    for role in [Role::User, Role::Admin] {
        let other = talk.door.person(role).await;
        for part in ["", "/messages", "/export"] {
            let request = TestRequest::get().uri(&format!("{path}{part}")).insert_header(talk.door.bearer(&other));
            assert_eq!(talk.door.send(request).await.status, 404, "{part}");
        }
        let request =
            TestRequest::get().uri(&format!("/api/v1/chat/{id}/stream")).insert_header(talk.door.bearer(&other));
        assert_eq!(talk.door.send(request).await.status, 404);
    }
    assert_eq!(talk.call(TestRequest::delete().uri(&path)).await.status, 200);
    assert_eq!(talk.get(&path).await.status, 404);
}

#[actix_web::test]
async fn questions_that_cannot_be_answered_say_why_and_leave_no_trace() {
    let unavailable = Script::Fails(Fault::new(FaultClass::Unavailable, "no"));
    let talk = Talk::of([unavailable]).await;
    let reason = |reply: &Reply| reply.json()["error"]["details"]["reason"].as_str().unwrap_or_default().to_owned();
    let reply = talk.post(&asks("m1", "Hello?")).await;
    assert_eq!((reply.status, reason(&reply)), (503, "provider_unavailable".to_owned()));
    let mut other = asks("m1", "Hello?");
    other["model"] = "large".into();
    let reply = talk.post(&other).await;
    assert_eq!((reply.status, reply.broken()), (400, vec!["body /model unknown".to_owned()]));
    let reply = talk.post(&asks("m1", &"long ".repeat(2000))).await;
    assert_eq!((reply.status, reason(&reply)), (400, "context_length_exceeded".to_owned()));
    let mut odd = asks("m1", "Hello?");
    odd["colour"] = "red".into();
    assert_eq!(talk.post(&odd).await.broken(), ["body /colour unknown"]);
    let reply = talk.post(&asks("m1", &"x".repeat(70_000))).await;
    assert_eq!(reply.status, 413);
    let request = TestRequest::post().uri("/api/v1/chat").insert_header(talk.door.bearer(&talk.ada));
    assert_eq!(talk.door.send(request.set_payload("{}")).await.status, 415);
    assert_eq!(talk.get("/api/v1/conversations").await.json()["items"], json!([]));
    let guest = talk.door.person(Role::Guest).await;
    assert_eq!(talk.door.post("/api/v1/chat", &guest, &asks("m1", "Hello?")).await.status, 403);
    let nobody = TestRequest::post().uri("/api/v1/chat").set_json(asks("m1", "Hello?"));
    assert_eq!(talk.door.send(nobody).await.status, 401);
    let bare = Door::new();
    let bob = bare.person(Role::User).await;
    let reply = bare.post("/api/v1/chat", &bob, &asks("m1", "Hello?")).await;
    assert_eq!((reply.status, reason(&reply)), (503, "assistant_not_configured".to_owned()));
}
