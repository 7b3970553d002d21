//! An answer by a prompt as it is said: events of text, and in the end all that the answer in JSON has.

use std::sync::Arc;

use actix_web::{
    HttpRequest,
    http::{StatusCode, header},
    web::Bytes,
};
use async_trait::async_trait;
use domain::{
    Error,
    assistant::{
        Denied,
        prompts::{Generated, Heard, Listener, generate_aloud},
    },
    id::GenerationId,
};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::generations::{GeneratedView, Question, location, refused};
use crate::{
    Answer, Shared,
    problem::Problem,
    spoken::{begun, streamed},
};

/// So many pieces wait for a slow reader; then the model is asked no further until some were read.
const PIECES: usize = 16;

/// Whether a stream of events is what is asked for first.
pub(super) fn wanted(http: &HttpRequest) -> bool {
    let accepts = http.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let first = accepts.split([',', ';']).next().unwrap_or_default();
    first.trim().eq_ignore_ascii_case("text/event-stream")
}

/// What is told of an answer.
enum Told {
    Begun(GenerationId),
    More(Heard),
    Ended(Box<Result<Generated, Denied>>),
}

/// Whoever reads the stream. They are gone when nobody receives any more.
struct Reader(mpsc::Sender<Told>);

#[async_trait]
impl Listener for Reader {
    async fn begin(&self, id: GenerationId) {
        let _ = self.0.send(Told::Begun(id)).await;
    }

    async fn hear(&self, more: Heard) {
        let _ = self.0.send(Told::More(more)).await;
    }

    async fn gone(&self) {
        self.0.closed().await;
    }
}

/// Answers as soon as the model does. The answer is made by a task of its own, which outlives its reader and writes down how it ended.
pub(super) async fn answer(http: &HttpRequest, services: &Shared, asked: Question) -> Answer {
    let (tell, mut told) = mpsc::channel(PIECES);
    let (name, request) = (asked.prompt.name.clone(), Arc::clone(&asked.request));
    let by_whom = services.clone();
    actix_web::rt::spawn(async move {
        let (services, reader) = (by_whom, Reader(tell));
        let assistance = &services.assistant;
        let (assistant, templates) = (&assistance.assistant, assistance.prompts.templates.as_ref());
        let asking = asked.asking(&services);
        let made = generate_aloud(assistant, templates, &services.shop, &asked.by, &asking, &reader).await;
        let _ = reader.0.send(Told::Ended(Box::new(made))).await;
    });
    let id = match told.recv().await {
        Some(Told::Begun(id)) => id,
        // What is refused before the model answers is told as everywhere.
        Some(Told::Ended(made)) => match *made {
            Err(why) => return Err(refused(why, services.shop.now())),
            Ok(_) => return Err(Error::internal("an answer ended that never began").into()),
        },
        Some(Told::More(_)) | None => return Err(Error::internal("nobody makes the answer").into()),
    };
    let mut head = begun(http);
    head.status(StatusCode::CREATED).insert_header((header::LOCATION, location(id)));
    let shop = services.shop.clone();
    let clock = Arc::clone(&shop.clock);
    let pieces = stream::unfold((told, name), move |(mut told, name)| {
        let (shop, request) = (shop.clone(), Arc::clone(&request));
        async move {
            let piece = match told.recv().await? {
                Told::Begun(_) => json!({}),
                Told::More(Heard::Text(text)) => json!({ "type": "delta", "text": text }),
                Told::More(Heard::Thought(text)) => json!({ "type": "thought", "text": text }),
                Told::Ended(made) => match *made {
                    Ok(made) => json!({ "type": "generation", "generation": GeneratedView::of(name.clone(), made) }),
                    Err(why) => fault(&refused(why, shop.now()), &request),
                },
            };
            Some((event(&piece), (told, name)))
        }
    });
    Ok(streamed(head, pieces, clock))
}

/// The last event of an answer that is not whole: the problem as it stands in the body of an answer.
fn fault(problem: &Problem, request: &str) -> Value {
    let mut told: Value = serde_json::from_slice(&problem.body(request)).unwrap_or_default();
    if let Some(told) = told.as_object_mut() {
        told.insert("type".to_owned(), "error".into());
    }
    told
}

fn event(piece: &Value) -> Bytes {
    format!("data: {piece}\n\n").into()
}
