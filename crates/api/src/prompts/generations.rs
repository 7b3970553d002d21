//! Asking a model by a prompt, and saying how the answer turned out.

use std::sync::Arc;

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse, get,
    http::{StatusCode, header},
    post,
    web::Payload,
};
use chrono::{DateTime, Utc};
use domain::{
    Error,
    assistant::{
        Denied, Finish,
        prompts::{
            Asking, Generated, Generation, GenerationState, Outcome as HowItTurnedOut, OutcomeInput, OutcomeValue,
            Prompt, PromptVersion, generate, say_outcome,
        },
    },
    id::GenerationId,
    idempotency::{Key, Once, Outcome},
    permission::{Authorized, UseAssistant},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Object, RefOr, Schema},
};
use uuid::Uuid;

use super::{
    aloud,
    parameters::PromptName,
    render::{ValuesBody, asked},
};
use crate::{
    Answer, Services, Shared,
    auth::Auth,
    body::{Fields, JsonBody},
    chat::{denied, read_body},
    context::Context,
    idempotency::{Keyed, again, reply, response},
    path::Id,
    problem::{In, Problem},
};

/// What an answer used.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GenerationUsage)]
#[serde(rename_all = "camelCase")]
pub struct UsageView {
    /// Tokens of the question.
    #[schema(example = 42, minimum = 0)]
    pub input_tokens: u64,
    /// Tokens of the answer, thoughts included.
    #[schema(example = 120, minimum = 0)]
    pub output_tokens: u64,
    /// Of the first, those that the provider had read before.
    #[schema(example = 0, minimum = 0)]
    pub cached_input_tokens: u64,
    /// Of the second, those that were thoughts.
    #[schema(example = 0, minimum = 0)]
    pub reasoning_tokens: u64,
    /// Whether this is a guess, since the provider did not say.
    #[schema(example = false)]
    pub estimated: bool,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = GenerationFinish)]
#[serde(rename_all = "lowercase")]
pub enum FinishName {
    /// It is whole.
    Stop,
    /// It is as long as it may be.
    Length,
    /// The provider withheld the rest.
    Withheld,
    /// A tool was wanted; prompts have none.
    Tools,
}

/// An answer. It is kept nowhere.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Generation)]
#[serde(rename_all = "camelCase")]
pub struct GeneratedView {
    /// Its id: how it turned out is said by it.
    pub id: Uuid,
    /// The prompt.
    #[schema(example = "write-listing")]
    pub prompt: String,
    /// The number of the version that served.
    #[schema(example = 1, minimum = 1)]
    pub version: i64,
    /// The model that answered.
    #[schema(example = "small")]
    pub model: String,
    /// The answer where it is text.
    #[schema(example = "A lamp of walnut.")]
    pub text: Option<String>,
    /// The answer where it is JSON.
    #[schema(value_type = Option<Object>, example = json!(null))]
    pub json: Option<Value>,
    /// The steps to it.
    #[schema(example = "It is made of walnut, so say so.")]
    pub reasoning: Option<String>,
    /// Whether the steps stood where they were asked for: false when all that was said is taken for the answer. Null when none were asked
    /// for.
    #[schema(example = true)]
    pub reasoning_marked: Option<bool>,
    /// Why it ended.
    pub finish: FinishName,
    /// What it used.
    pub usage: UsageView,
}

impl GeneratedView {
    pub(super) fn of(prompt: String, generated: Generated) -> Self {
        let (usage, estimated) = generated.usage;
        Self {
            id: generated.id.0,
            prompt,
            version: generated.version.0,
            model: generated.model,
            text: generated.said.text,
            json: generated.said.json,
            reasoning: generated.said.reasoning,
            reasoning_marked: generated.said.is_marked,
            finish: match generated.finish {
                Finish::Stop => FinishName::Stop,
                Finish::Length => FinishName::Length,
                Finish::Filtered => FinishName::Withheld,
                Finish::Tools => FinishName::Tools,
            },
            usage: UsageView {
                input_tokens: usage.prompt,
                output_tokens: usage.completion,
                cached_input_tokens: usage.cached,
                reasoning_tokens: usage.reasoning,
                estimated,
            },
        }
    }
}

/// Asks a model by a prompt.
///
/// The version that serves the subject is asked, unless another is named. The call is in the ledger and counts in budgets and limits as every
/// other; asked again it is made and paid again, unless both bear one `Idempotency-Key`: then the answer is kept for as long as keys are. Else
/// what is said is kept nowhere: the answer has it, and later only which version it was. When its reader goes away the call ends.
///
/// With `Accept: text/event-stream` it comes as it is said, in events whose data is JSON: `{"type":"delta","text":".."}` for what the model
/// says, with steps where they are asked for, and `{"type":"thought","text":".."}` for what it thinks; in the end one
/// `{"type":"generation","generation":{..}}` with all that the answer in JSON has, or `{"type":"error","error":{..}}`. What ends with
/// neither was cut.
#[utoipa::path(
    tag = "assistant",
    request_body = ValuesBody,
    params(PromptName, Keyed),
    responses(
        (
            status = 201, description = "The answer", content((GeneratedView = "application/json"), (String = "text/event-stream")),
            headers(("Location" = String, description = "Where it is told how it went"))
        ),
        (status = 404, description = "No such prompt or version"),
        (status = 409, description = "No version serves, the prompt is put away, or asks a model that there is not"),
        (status = 413, description = "The values have too many bytes"),
        (status = 422, description = "The provider will not answer that, or the key was used with a different request"),
        (status = 429, description = "Too many questions, or a budget has no room"),
        (status = 502, description = "The provider failed, or what it said is not the JSON that it was asked for"),
        (status = 503, description = "There is no provider, or none that answers"),
        (status = 504, description = "The provider took too long"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[post("/api/v1/assistant/prompts/{name}/generations")]
pub async fn create_generation(
    auth: Auth<UseAssistant>,
    services: Shared,
    path: PromptName,
    keyed: Keyed,
    http: HttpRequest,
    payload: Payload,
) -> Answer {
    let body = read_body(&services, &http, payload).await?;
    let asked = body.read(|fields| Some(asked(fields)))?;
    let is_aloud = aloud::wanted(&http);
    if is_aloud && keyed.is_there() {
        let message = "must be left out where a stream is asked for: what was said aloud is kept nowhere";
        return Err(Problem::broken(In::Header, "Idempotency-Key", "streamed", message));
    }
    let prompt = services.assistant.prompts.named(&path.name).await?;
    let version = services.served(&prompt, &asked, auth.0.principal()).await?;
    let request = http.extensions().get::<Context>().map(|context| Arc::clone(&context.id)).unwrap_or_default();
    let asked = Question { by: auth.0, prompt, version, values: asked.variables, request };
    if is_aloud {
        return aloud::answer(&http, &services, asked).await;
    }
    let key = keyed.key(&services, "create_generation", &body);
    drop(body);
    whole(&services, asked, key).await
}

/// A question by a prompt, for a task of its own.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) by: Authorized<UseAssistant>,
    pub(super) prompt: Prompt,
    pub(super) version: PromptVersion,
    pub(super) values: Map<String, Value>,
    pub(super) request: Arc<str>,
}

impl Question {
    pub(super) fn asking<'a>(&'a self, services: &'a Services) -> Asking<'a> {
        Asking {
            prompt: &self.prompt,
            version: &self.version,
            values: &self.values,
            usual: services.chat.talks.rules.model.as_deref(),
            request: &self.request,
        }
    }
}

/// Where it is told how an answer went.
pub(super) fn location(id: GenerationId) -> String {
    format!("/api/v1/assistant/generations/{id}")
}

/// The whole answer. It is made by a task of its own, which outlives a request whose reader went away, and then writes down that it ended.
async fn whole(services: &Shared, asked: Question, key: Option<Key>) -> Answer {
    let (mut tell, told) = oneshot::channel();
    let by_whom = services.clone();
    actix_web::rt::spawn(async move {
        let (services, name) = (by_whom, asked.prompt.name.clone());
        let render = |made: &Generated| {
            let headers = vec![
                ("Location".to_owned(), location(made.id)),
                (header::CACHE_CONTROL.to_string(), "no-store".to_owned()),
            ];
            reply(StatusCode::CREATED, headers, &GeneratedView::of(name.clone(), made.clone()))
        };
        let once = Once { key, render: &render };
        let assistance = &services.assistant;
        let (assistant, templates) = (&assistance.assistant, assistance.prompts.templates.as_ref());
        let (shop, asking) = (&services.shop, asked.asking(&services));
        let made = generate(assistant, templates, shop, &asked.by, &asking, &once, tell.closed()).await;
        let made = made.map(|outcome| match outcome {
            Outcome::Fresh(made) => (render(&made), false),
            Outcome::Replay(kept) => (kept, true),
        });
        // Nobody is told who went away meanwhile.
        let _ = tell.send(made);
    });
    let made = told.await.map_err(Error::internal)?;
    match made.map_err(|why| refused(why, services.shop.now()))? {
        (kept, true) => again(kept),
        (fresh, false) => Ok(response(fresh)),
    }
}

/// What is told of it: here a question is too long by the values of variables.
pub(super) fn refused(why: Denied, now: domain::clock::Timestamp) -> Problem {
    match why {
        Denied::TooLong { tokens, window } => Error::invalid(
            "/variables",
            "context_length",
            format!("make about {tokens} tokens with the rest, and the model reads at most {window}"),
        )
        .into(),
        other => denied(other, now),
    }
}

/// How an answer went.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = GenerationState, example = "done")]
#[serde(rename_all = "lowercase")]
pub enum StateName {
    /// It is being made.
    Running,
    /// It was given.
    Done,
    /// The model failed, or what it said was no answer.
    Failed,
    /// No model was asked.
    Refused,
}

/// How an answer turned out by a measure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GenerationOutcome)]
pub struct OutcomeView {
    /// What is measured.
    #[schema(example = "success")]
    pub metric: String,
    /// Whether it is so, or how much.
    #[schema(value_type = BooleanOrNumber, example = true)]
    pub value: Value,
    /// When that was said.
    pub at: DateTime<Utc>,
}

/// A flag or a number.
#[derive(Debug)]
pub struct BooleanOrNumber;

impl PartialSchema for BooleanOrNumber {
    fn schema() -> RefOr<Schema> {
        let schema = serde_json::from_value(json!({
            "description": "Whether it is so, or how much",
            "oneOf": [
                { "type": "boolean" },
                { "type": "number", "minimum": -1_000_000_000_000_i64, "maximum": 1_000_000_000_000_i64 },
            ],
            "example": true,
        }));
        schema.unwrap_or_else(|_| Object::new().into())
    }
}

impl ToSchema for BooleanOrNumber {}

/// How an answer went and turned out. What was said is kept nowhere.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GenerationRecord)]
#[serde(rename_all = "camelCase")]
pub struct RecordView {
    /// Its id.
    pub id: Uuid,
    /// The prompt.
    pub prompt_id: Uuid,
    /// The number of the version that served.
    #[schema(example = 1, minimum = 1)]
    pub version: i64,
    /// The model that was asked for.
    #[schema(example = "small")]
    pub model: String,
    /// How it went.
    pub state: StateName,
    /// Why it failed or was refused, in a word.
    #[schema(example = "timeout")]
    pub reason: Option<String>,
    /// How many milliseconds it took.
    #[schema(example = 1250, minimum = 0)]
    pub milliseconds: Option<u64>,
    /// How it turned out.
    pub outcomes: Vec<OutcomeView>,
    /// When it was asked for.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl RecordView {
    fn of(one: &Generation, outcomes: &[HowItTurnedOut]) -> Self {
        let outcome = |outcome: &HowItTurnedOut| OutcomeView {
            metric: outcome.metric.clone(),
            value: match outcome.value {
                OutcomeValue::Flag(flag) => flag.into(),
                OutcomeValue::Number(number) => number.into(),
            },
            at: outcome.at,
        };
        Self {
            id: one.id.0,
            prompt_id: one.prompt.0,
            version: one.version.0,
            model: one.model.clone(),
            state: match one.state {
                GenerationState::Running => StateName::Running,
                GenerationState::Done => StateName::Done,
                GenerationState::Failed => StateName::Failed,
                GenerationState::Refused => StateName::Refused,
            },
            reason: one.reason.clone(),
            milliseconds: one.took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
            outcomes: outcomes.iter().map(outcome).collect(),
            started_at: one.started_at,
            ended_at: one.ended_at,
        }
    }
}

/// Tells how an answer that one asked for went, and how it turned out.
#[utoipa::path(
    tag = "assistant",
    params(Id<GenerationId>),
    responses(
        (status = 200, description = "How it went", body = RecordView),
        (status = 404, description = "No such answer, or not yours"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/assistant/generations/{id}")]
pub async fn get_generation(auth: Auth<UseAssistant>, services: Shared, id: Id<GenerationId>) -> Answer {
    let found = services.assistant.prompts.queries.generation(id.0).await?;
    let own = found.filter(|(found, _)| found.user == auth.0.principal().user);
    let (generation, outcomes) = own.ok_or(Error::NotFound("Generation"))?;
    Ok(HttpResponse::Ok().json(RecordView::of(&generation, &outcomes)))
}

/// How an answer turned out.
#[derive(Debug, ToSchema)]
#[schema(as = NewGenerationOutcome)]
pub struct OutcomeBody {
    /// What is measured; `success` when absent.
    #[schema(example = "success", pattern = "^[a-z0-9_-]{1,64}$")]
    pub metric: Option<String>,
    /// Whether it is so, or how much: true, false, or a number from -1e12 to 1e12.
    #[schema(value_type = BooleanOrNumber, example = true)]
    pub value: Value,
}

fn outcome(fields: &mut Fields<'_>) -> Option<(String, OutcomeValue)> {
    let metric = fields.text("metric");
    let value = match fields.any("value") {
        Some(Value::Bool(flag)) => Some(OutcomeValue::Flag(flag)),
        Some(Value::Number(number)) => number.as_f64().map(OutcomeValue::Number),
        Some(_) => {
            fields.violations.add("/value", "type", "must be true, false, or a number");
            None
        }
        None => None,
    };
    OutcomeInput { metric, value }.check(&mut fields.violations)
}

/// Says how an answer that one asked for turned out, by one measure; said again it takes the place of what was said before.
#[utoipa::path(
    tag = "assistant",
    request_body = OutcomeBody,
    params(Id<GenerationId>),
    responses(
        (status = 200, description = "How it went and turned out", body = RecordView),
        (status = 404, description = "No such answer, or not yours"),
        (status = 409, description = "There was no answer, or it is measured in too many ways"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[post("/api/v1/assistant/generations/{id}/outcome")]
pub async fn set_generation_outcome(
    auth: Auth<UseAssistant>,
    services: Shared,
    id: Id<GenerationId>,
    body: JsonBody,
) -> Answer {
    let (metric, value) = body.read(outcome)?;
    let (generation, outcomes) = say_outcome(&services.shop, &auth.0, id.0, &metric, value).await?;
    Ok(HttpResponse::Ok().json(RecordView::of(&generation, &outcomes)))
}
