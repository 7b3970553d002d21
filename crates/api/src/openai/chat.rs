//! Answers, whole or piece by piece.

use std::sync::Arc;

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Payload},
};
use domain::{
    Authorized, Shop,
    assistant::{
        Answer as Words, Assistant, CallKind, ChatEvent, ChatRequest, Denied, Gathered, Usage, ask,
        kept::{Keeping, KeptAnswer, Question, is_whole},
        ports::Frame,
        stream as begin,
    },
    permission::UseAssistant,
};
use futures_util::stream;
use serde_json::Value;
use uuid::Uuid;

use super::{
    chunks::Head,
    errors::{denied, piece},
    kept::{Found, Record, Told, find},
    read_body,
    request::{self, Asked},
};
use crate::{Answer, Shared, auth::Auth, context::Context, spoken::streamed};

/// Answers a question.
pub(super) async fn create(auth: Auth<UseAssistant>, services: Shared, http: HttpRequest, payload: Payload) -> Answer {
    let bytes = read_body(&services, &http, payload.into_inner()).await?;
    let asked = request::read(request::object(&bytes)?)?;
    drop(bytes);
    // What decides an answer is all of the body: a field that is not known here goes on.
    let body = asked.request.original.clone().unwrap_or_default();
    let question = Question { kind: CallKind::Chat, model: &asked.model, body: &body };
    let (mut told, keeping) = match find(&services, &http, &auth.0, question, can_be_kept(&asked.request)).await? {
        Found::Make(told, keeping) => (told, keeping),
        Found::Hit(told, kept) if asked.streams => return Ok(again(&http, &told, &kept)),
        Found::Hit(told, kept) => return Ok(whole_answer(&told, kept.body)),
    };
    let (assistant, shop) = (&services.assistant.assistant, &services.shop);
    let id = http.extensions().get::<Context>().map(|context| Arc::clone(&context.id)).unwrap_or_default();
    if asked.streams {
        let words = begin(assistant, shop, &auth.0, &id, &asked.model, asked.request).await;
        let words = words.map_err(|why| denied(why, shop.now()))?;
        let head = head(shop, words.model().to_owned());
        let pieces = stream::unfold(Pieces::new(words, head, asked.says_usage, keeping), |mut pieces| async move {
            pieces.next().await.map(|piece| (piece, pieces))
        });
        return Ok(streamed(told.head(&http), pieces, Arc::clone(&shop.clock)));
    }
    let made = make(assistant, shop, &auth.0, &id, asked, keeping).await.map_err(|why| denied(why, shop.now()))?;
    if made.is_kept {
        told.stored();
    }
    Ok(whole_answer(&told, made.body))
}

/// An answer as it is written to whoever asked.
pub(super) struct Made {
    pub(super) body: Bytes,
    pub(super) usage: Usage,
    /// Whether it was kept for whoever asks again.
    pub(super) is_kept: bool,
}

/// Has a whole answer made, and kept if that is wanted.
///
/// # Errors
/// Why there is none.
pub(super) async fn make(
    assistant: &Assistant,
    shop: &Shop,
    auth: &Authorized<UseAssistant>,
    id: &str,
    asked: Asked,
    keeping: Option<Keeping>,
) -> Result<Made, Denied> {
    let whole = ask(assistant, shop, auth, id, &asked.model, asked.request).await?;
    let reply = &whole.completed.reply;
    let keeping = keeping.filter(|_| is_whole(reply));
    let usage = whole.figures.0;
    let body = match whole.completed.raw {
        Some(raw) => raw,
        None => head(shop, whole.model).whole(reply).to_string().into(),
    };
    let is_kept = match keeping {
        Some(keeping) => keeping.keep(usage, body.clone()).await,
        None => false,
    };
    Ok(Made { body, usage, is_kept })
}

fn head(shop: &Shop, model: String) -> Head {
    Head { id: format!("chatcmpl-{}", shop.id::<Uuid>().simple()), created: shop.now().timestamp(), model }
}

/// Of several answers at once it is not known here that all are whole.
pub(super) fn can_be_kept(request: &ChatRequest) -> bool {
    request.choices <= 1
}

fn whole_answer(told: &Told, body: Bytes) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.content_type("application/json").insert_header((header::CACHE_CONTROL, "no-store"));
    told.say(&mut answer);
    answer.body(body)
}

/// A stream that was kept, event by event.
fn again(http: &HttpRequest, told: &Told, kept: &KeptAnswer) -> HttpResponse {
    let (mut events, mut rest) = (Vec::new(), kept.body.clone());
    while let Some(end) = rest.windows(2).position(|two| two == b"\n\n") {
        events.push(Ok::<_, actix_web::Error>(rest.split_to(end + 2)));
    }
    told.head(http).streaming(stream::iter(events))
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
    /// What is kept of it when it is whole.
    record: Option<(Record, Gathered)>,
}

impl Pieces {
    fn new(words: Words, head: Head, says_usage: bool, keeping: Option<Keeping>) -> Self {
        let figures = if says_usage { Figures::Owed } else { Figures::Unasked };
        let record = keeping.map(|keeping| (Record::new(keeping), Gathered::default()));
        Self { words, head, figures, is_first: true, is_over: false, record }
    }

    /// What to write next, as soon as it is there.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        loop {
            let text = match self.words.next().await {
                Ok(Some(frame)) => {
                    if let Some((_, gathered)) = &mut self.record {
                        frame.events.iter().for_each(|event| gathered.take(event));
                    }
                    self.frame(frame)
                }
                Ok(None) => {
                    self.is_over = true;
                    let text = self.end();
                    self.keep(&text).await;
                    return Some(text.into());
                }
                Err(fault) => {
                    // Never the mark of an end in order.
                    self.is_over = true;
                    event(piece(&fault).to_string().as_bytes())
                }
            };
            if !text.is_empty() {
                if let Some((record, _)) = &mut self.record {
                    record.wrote(&text);
                }
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

    /// It ended in order, with this: if it is whole it is kept before its end is told, so that who asks again then is given it.
    async fn keep(&mut self, end: &[u8]) {
        let Some((mut record, gathered)) = self.record.take() else { return };
        if is_whole(&gathered.reply()) {
            record.wrote(end);
            record.keep(self.words.figures().0).await;
        }
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
