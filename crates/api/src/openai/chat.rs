//! Answers, whole or piece by piece.

use std::sync::Arc;

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Payload},
};
use domain::{
    assistant::{Answer as Words, ChatEvent, ask, ports::Frame, stream as begin},
    permission::UseAssistant,
};
use futures_util::stream;
use serde_json::Value;
use uuid::Uuid;

use super::{chunks::Head, errors::denied, errors::piece, read_body, request};
use crate::{Answer, Shared, auth::Auth, context::Context, spoken::streamed};

/// Answers a question.
pub(super) async fn create(auth: Auth<UseAssistant>, services: Shared, http: HttpRequest, payload: Payload) -> Answer {
    let bytes = read_body(&services, &http, payload.into_inner()).await?;
    let asked = request::read(&bytes)?;
    drop(bytes);
    let (assistant, shop) = (&services.assistant.assistant, &services.shop);
    let id = http.extensions().get::<Context>().map(|context| Arc::clone(&context.id)).unwrap_or_default();
    let head = |model: String| Head {
        id: format!("chatcmpl-{}", shop.id::<Uuid>().simple()),
        created: shop.now().timestamp(),
        model,
    };
    if asked.streams {
        let words = begin(assistant, shop, &auth.0, &id, &asked.model, asked.request).await;
        let words = words.map_err(|why| denied(why, shop.now()))?;
        let head = head(words.model().to_owned());
        let pieces = stream::unfold(Pieces::new(words, head, asked.says_usage), |mut pieces| async move {
            pieces.next().await.map(|piece| (piece, pieces))
        });
        return Ok(streamed(&http, pieces, Arc::clone(&shop.clock)));
    }
    let whole = ask(assistant, shop, &auth.0, &id, &asked.model, asked.request).await;
    let whole = whole.map_err(|why| denied(why, shop.now()))?;
    let body = match whole.completed.raw {
        Some(raw) => raw,
        None => head(whole.model).whole(&whole.completed.reply).to_string().into(),
    };
    let mut answer = HttpResponse::Ok();
    answer.content_type("application/json").insert_header((header::CACHE_CONTROL, "no-store"));
    Ok(answer.body(body))
}

/// Whether the reader is told what was used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Figures {
    Unasked,
    Owed,
    /// They were passed on, in the provider's own words.
    Told,
}

/// An answer on its way out. Dropped when its reader goes away, it ends the call.
struct Pieces {
    words: Words,
    head: Head,
    figures: Figures,
    is_first: bool,
    is_over: bool,
}

impl Pieces {
    fn new(words: Words, head: Head, says_usage: bool) -> Self {
        let figures = if says_usage { Figures::Owed } else { Figures::Unasked };
        Self { words, head, figures, is_first: true, is_over: false }
    }

    /// What to write next, as soon as it is there.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        loop {
            let text = match self.words.next().await {
                Ok(Some(frame)) => self.frame(frame),
                Ok(None) => {
                    self.is_over = true;
                    self.end()
                }
                Err(fault) => {
                    // Never the mark of an end in order.
                    self.is_over = true;
                    event(piece(&fault).to_string().as_bytes())
                }
            };
            if !text.is_empty() {
                return Some(text.into());
            }
        }
    }

    /// The very bytes where the provider speaks this protocol, else what they say.
    fn frame(&mut self, frame: Frame) -> Vec<u8> {
        if let Some(raw) = frame.raw {
            let told = frame.events.iter().any(|event| matches!(event, ChatEvent::Usage(usage) if usage.total() > 0));
            if told && self.figures == Figures::Owed {
                self.figures = Figures::Told;
            }
            let only_usage =
                !frame.events.is_empty() && frame.events.iter().all(|event| matches!(event, ChatEvent::Usage(_)));
            return if only_usage && self.figures == Figures::Unasked { Vec::new() } else { event(&raw) };
        }
        let mut text = Vec::new();
        for said in &frame.events {
            if let Some(chunk) = self.head.piece(said, self.is_first) {
                self.is_first = false;
                text.extend(written(&chunk));
            }
        }
        text
    }

    fn end(&mut self) -> Vec<u8> {
        let (usage, is_estimate) = self.words.figures();
        let owed = self.figures == Figures::Owed;
        let mut text = if owed { written(&self.head.used(usage, is_estimate)) } else { Vec::new() };
        text.extend(event(b"[DONE]"));
        text
    }
}

fn written(chunk: &Value) -> Vec<u8> {
    event(chunk.to_string().as_bytes())
}

fn event(data: &[u8]) -> Vec<u8> {
    [b"data: ", data, b"\n\n"].concat()
}
