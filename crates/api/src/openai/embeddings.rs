//! Vectors of texts.

use std::sync::Arc;

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Payload},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::{
    Authorized, Shop,
    assistant::{
        Assistant, CallKind, Denied, Usage, embed,
        kept::{Keeping, Question},
    },
    permission::UseAssistant,
};
use serde_json::{Map, Value, json};

use super::{
    chat::Made,
    errors::{denied, invalid},
    kept::{Found, Told, find},
    read_body, request,
};
use crate::{Answer, Shared, auth::Auth, context::Context, problem::Problem};

/// The most texts at once.
const MOST: usize = 2048;

/// What vectors are wanted of.
pub(super) struct Texts {
    pub(super) model: String,
    input: Vec<String>,
    in_base64: bool,
}

/// Reads what vectors are wanted of.
///
/// # Errors
/// 400 that names the field.
pub(super) fn read(assistant: &Assistant, body: &Map<String, Value>) -> Result<Texts, Problem> {
    let (model, input) = (request::model(body)?, texts(body)?);
    let in_base64 = match body.get("encoding_format").and_then(Value::as_str) {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(invalid("encoding_format", "must be float or base64")),
    };
    if let (Some(asked), Some(known)) = (body.get("dimensions"), assistant.models.embeddings.get(&model)) {
        let dimension = known.embedder.dimension();
        let fits = asked.as_u64().is_some_and(|asked| usize::try_from(asked) == Ok(dimension));
        if !fits {
            return Err(invalid("dimensions", format!("must be {dimension}: what is compared must be alike")));
        }
    }
    Ok(Texts { model, input, in_base64 })
}

/// Makes vectors.
pub(super) async fn create(auth: Auth<UseAssistant>, services: Shared, http: HttpRequest, payload: Payload) -> Answer {
    let bytes = read_body(&services, &http, payload.into_inner()).await?;
    let body = request::object(&bytes)?;
    let (assistant, shop) = (&services.assistant.assistant, &services.shop);
    let asked = read(assistant, &body)?;
    let question = Question { kind: CallKind::Embedding, model: &asked.model, body: &body };
    let (mut told, keeping) = match find(&services, &http, &auth.0, question, true).await? {
        Found::Make(told, keeping) => (told, keeping),
        Found::Hit(told, kept) => return Ok(answered(&told, kept.body)),
    };
    let id = http.extensions().get::<Context>().map(|context| Arc::clone(&context.id)).unwrap_or_default();
    let made = make(assistant, shop, &auth.0, &id, &asked, keeping).await.map_err(|why| denied(why, shop.now()))?;
    if made.is_kept {
        told.stored();
    }
    Ok(answered(&told, made.body))
}

/// Has vectors made, and kept if that is wanted.
///
/// # Errors
/// Why there are none.
pub(super) async fn make(
    assistant: &Assistant,
    shop: &Shop,
    auth: &Authorized<UseAssistant>,
    id: &str,
    asked: &Texts,
    keeping: Option<Keeping>,
) -> Result<Made, Denied> {
    let Texts { model, input, in_base64 } = asked;
    let embedded = embed(assistant, shop, auth, id, model, input).await?;
    let vector = |vector: &Vec<f32>| -> Value {
        if !in_base64 {
            return vector.iter().map(|number| Value::from(*number)).collect();
        }
        let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
        BASE64_STANDARD.encode(bytes).into()
    };
    let entry = |(index, one)| json!({ "object": "embedding", "index": index, "embedding": vector(one) });
    let data: Vec<Value> = embedded.vectors.iter().enumerate().map(entry).collect();
    let used = embedded.usage.map_or(0, |usage| usage.prompt);
    let usage = json!({ "prompt_tokens": used, "total_tokens": used });
    let body: Bytes = json!({ "object": "list", "data": data, "model": model, "usage": usage }).to_string().into();
    let usage = embedded.usage.unwrap_or(Usage { prompt: used, ..Usage::default() });
    let is_kept = match keeping {
        Some(keeping) => keeping.keep(usage, body.clone()).await,
        None => false,
    };
    Ok(Made { body, usage, is_kept })
}

fn answered(told: &Told, body: Bytes) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.content_type("application/json").insert_header((header::CACHE_CONTROL, "no-store"));
    told.say(&mut answer);
    answer.body(body)
}

fn texts(body: &Map<String, Value>) -> Result<Vec<String>, Problem> {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let read = match body.get("input") {
        Some(Value::Array(texts)) if (1..=MOST).contains(&texts.len()) => texts.iter().map(text).collect(),
        Some(one) => text(one).map(|text| vec![text]),
        None => None,
    };
    read.ok_or_else(|| invalid("input", format!("must be a text that is not empty, or a list of 1 to {MOST} of them")))
}
