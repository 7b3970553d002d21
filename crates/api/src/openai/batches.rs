//! Batches of questions.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest,
    http::StatusCode,
    web::{Path, Payload},
};
use domain::{
    Error,
    assistant::batches::{Batch, BatchState, Counts, Endpoint, NewBatch, Owner, cancel_batch, create_batch},
    clock::Timestamp,
    id::{AssistantBatchId, AssistantFileId},
    permission::UseAssistant,
};
use serde_json::{Map, Value, json};

use super::{
    admitted,
    errors::{invalid, refusal},
    files,
    listing::{Wanted, id},
    read_body, request, told,
};
use crate::{Answer, Services, Shared, auth::Auth, problem::Problem};

/// What stands before the id of a batch.
const KIND: &str = "batch_";
/// The only time that a batch may take.
const WINDOW: &str = "24h";
/// Most things that may be noted of a batch, and most characters of their names and of what they are.
const NOTES: (usize, usize, usize) = (16, 64, 512);

/// A batch, as this protocol knows it.
fn shown(batch: &Batch) -> Value {
    let file = |id: Option<AssistantFileId>| id.map(|id| format!("{}{}", files::KIND, id.0.simple()));
    let at = |moment: Option<Timestamp>| moment.map(|moment| moment.timestamp());
    let times = &batch.times;
    let ended = |state| at(times.ended_at.filter(|_| batch.state == state));
    let fault = |fault: &domain::assistant::batches::LineFault| json!({ "code": fault.code, "line": fault.line, "message": fault.message, "param": fault.param });
    let faults: Vec<Value> = batch.faults.iter().map(fault).collect();
    let faults = if faults.is_empty() { Value::Null } else { json!({ "object": "list", "data": faults }) };
    let Counts { total, completed, failed } = batch.counts;
    let usage = &batch.usage;
    json!({
        "id": format!("{KIND}{}", batch.id.0.simple()),
        "object": "batch",
        "endpoint": batch.endpoint.path(),
        "errors": faults,
        "input_file_id": file(Some(batch.input)),
        "completion_window": WINDOW,
        "status": batch.state.name(),
        "output_file_id": file(batch.output),
        "error_file_id": file(batch.refusals),
        "created_at": times.created_at.timestamp(),
        "in_progress_at": at(times.began_at),
        "expires_at": times.expires_at.timestamp(),
        "finalizing_at": at(times.finalizing_at),
        "completed_at": ended(BatchState::Completed),
        "failed_at": ended(BatchState::Failed),
        "expired_at": ended(BatchState::Expired),
        "cancelling_at": at(times.cancelling_at),
        "cancelled_at": ended(BatchState::Cancelled),
        "request_counts": { "total": total, "completed": completed, "failed": failed },
        "usage": {
            "input_tokens": usage.prompt,
            "input_tokens_details": { "cached_tokens": usage.cached },
            "output_tokens": usage.completion,
            "output_tokens_details": { "reasoning_tokens": usage.reasoning },
            "total_tokens": usage.total(),
        },
        "metadata": if batch.metadata.is_empty() { Value::Null } else { json!(batch.metadata) },
    })
}

/// What somebody is told who asks for a batch that there is not, or not for them.
fn unknown() -> Problem {
    refusal(StatusCode::NOT_FOUND, "batch_not_found", Some("id"), "No such Batch object; GET /v1/batches lists yours")
}

fn named(text: &str) -> Result<AssistantBatchId, Problem> {
    id(KIND, text).map(AssistantBatchId).ok_or_else(unknown)
}

/// Makes one.
pub(super) async fn create(auth: Auth<UseAssistant>, services: Shared, http: HttpRequest, payload: Payload) -> Answer {
    admitted(&services, &auth.0)?;
    let bytes = read_body(&services, &http, payload.into_inner()).await?;
    let new = read(&request::object(&bytes)?)?;
    let batch = create_batch(&services.shop, &auth.0, &new).await.map_err(|error| match error {
        Error::NotFound(_) => {
            let message = "No such File object; POST /v1/files brings one";
            refusal(StatusCode::NOT_FOUND, "file_not_found", Some("input_file_id"), message)
        }
        Error::Unprocessable(message) => {
            refusal(StatusCode::BAD_REQUEST, "invalid_value", Some("input_file_id"), message)
        }
        other => other.into(),
    })?;
    Ok(told(&shown(&batch)))
}

fn read(body: &Map<String, Value>) -> Result<NewBatch, Problem> {
    let text = |name: &str| {
        let text = body.get(name).and_then(Value::as_str);
        text.ok_or_else(|| {
            let message = format!("you must provide a '{name}' parameter, a text");
            refusal(StatusCode::BAD_REQUEST, "missing_required_parameter", Some(name), message)
        })
    };
    let input = id(files::KIND, text("input_file_id")?);
    let input = input.ok_or_else(|| invalid("input_file_id", "must be the id of a file, which begins with file-"))?;
    let endpoint = Endpoint::at(text("endpoint")?)
        .ok_or_else(|| invalid("endpoint", "must be /v1/chat/completions or /v1/embeddings"))?;
    if text("completion_window")? != WINDOW {
        return Err(invalid("completion_window", format!("must be {WINDOW}")));
    }
    Ok(NewBatch { input: AssistantFileId(input), endpoint, metadata: metadata(body)? })
}

fn metadata(body: &Map<String, Value>) -> Result<BTreeMap<String, String>, Problem> {
    let (most, name_max, value_max) = NOTES;
    let notes = match body.get("metadata") {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(notes)) if notes.len() <= most => notes,
        Some(_) => return Err(invalid("metadata", format!("must be an object of at most {most} texts"))),
    };
    let note = |(name, value): (&String, &Value)| {
        let value = value.as_str().filter(|value| value.chars().count() <= value_max && !value.contains('\0'));
        let fits = (1..=name_max).contains(&name.chars().count()) && !name.contains('\0');
        let note = value.filter(|_| fits).map(|value| (name.clone(), value.to_owned()));
        note.ok_or_else(|| {
            let message = format!("must have names of 1 to {name_max} characters and texts of at most {value_max}");
            invalid("metadata", message)
        })
    };
    notes.iter().map(note).collect()
}

/// Lists them, the newest first.
pub(super) async fn list(auth: Auth<UseAssistant>, services: Shared, http: HttpRequest) -> Answer {
    admitted(&services, &auth.0)?;
    let wanted = Wanted::read(&http, KIND, 20, 100)?;
    let (of, after) = (Owner::of(auth.0.principal()), wanted.after.map(AssistantBatchId));
    let batches = services.assistant.batches.list(of, after, wanted.looked_for()).await?;
    Ok(wanted.told(batches.iter().map(shown).collect()))
}

/// Tells how far one is.
pub(super) async fn get(auth: Auth<UseAssistant>, services: Shared, id: Path<String>) -> Answer {
    let batch = found(&services, &auth, &id).await?;
    Ok(told(&shown(&batch)))
}

async fn found(services: &Services, auth: &Auth<UseAssistant>, text: &str) -> Result<Batch, Problem> {
    admitted(services, &auth.0)?;
    let found = services.assistant.batches.get(named(text)?).await?;
    found.filter(|batch| batch.owner.shows_to(auth.0.principal())).ok_or_else(unknown)
}

/// Cancels one.
pub(super) async fn cancel(auth: Auth<UseAssistant>, services: Shared, id: Path<String>) -> Answer {
    admitted(&services, &auth.0)?;
    let batch = cancel_batch(&services.shop, &auth.0, named(&id)?).await.map_err(|error| match error {
        Error::NotFound(_) => unknown(),
        other => other.into(),
    })?;
    Ok(told(&shown(&batch)))
}
