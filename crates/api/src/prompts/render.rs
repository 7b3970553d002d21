//! What a model would be told: nobody is asked, and nothing is spent.

use actix_web::{HttpResponse, post};
use domain::{
    Principal,
    assistant::{
        ResponseFormat, Role,
        prompts::{Prompt, PromptVersion, Rendered, VersionNumber, render},
    },
    permission::UseAssistant,
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{content::RoleName, parameters::PromptName};
use crate::{
    Answer, Services, Shared,
    auth::Auth,
    body::{Fields, JsonBody},
};

/// With which values a prompt is asked.
#[derive(Debug, ToSchema)]
#[schema(as = PromptValues)]
pub struct ValuesBody {
    /// The value of each variable, by its name; that of one with a default may be left out.
    #[schema(value_type = Option<Object>, example = json!({ "title": "Walnut lamp" }))]
    pub variables: Option<Map<String, Value>>,
    /// The version; the one that serves the subject when absent.
    #[schema(example = 1, minimum = 1, maximum = 2_147_483_647)]
    pub version: Option<i64>,
    /// For whom it is, such as a customer of whoever asks: they meet the same version while the split holds. Whoever asks when absent.
    #[schema(example = "customer-7", min_length = 1, max_length = 200, format = "name")]
    pub subject: Option<String>,
}

/// What [`ValuesBody`] says.
#[derive(Debug)]
pub struct Asked {
    /// The values.
    pub variables: Map<String, Value>,
    /// The version.
    pub version: Option<VersionNumber>,
    /// For whom it is.
    pub subject: Option<String>,
}

/// Reads a [`ValuesBody`].
pub fn asked(fields: &mut Fields<'_>) -> Asked {
    let variables = fields.object("variables").unwrap_or_default();
    let version = match fields.integer("version") {
        Some(number) if !(1..=2_147_483_647).contains(&number) => {
            fields.violations.add("/version", "range", "must be a whole number from 1 to 2147483647");
            None
        }
        number => number.map(VersionNumber),
    };
    let subject = match fields.text("subject") {
        Some(subject) => fields.violations.check("/subject", domain::text::line(&subject, 1, 200)),
        None => None,
    };
    Asked { variables, version, subject }
}

impl Services {
    /// The version that is asked for, or the one that serves.
    pub(crate) async fn served(&self, prompt: &Prompt, asked: &Asked, by: &Principal) -> domain::Result<PromptVersion> {
        let prompts = &self.assistant.prompts;
        let number = if let Some(number) = asked.version {
            number
        } else {
            let subject = asked.subject.clone().unwrap_or_else(|| by.user.to_string());
            prompt.serving(self.mac.as_ref(), &subject)?
        };
        prompts.version(prompt, number).await
    }
}

/// A message as a model would be told it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RenderedMessage)]
pub struct SaidView {
    /// Who says it.
    pub role: RoleName,
    /// What.
    #[schema(example = "Describe Walnut lamp.")]
    pub text: String,
}

/// What a model would be told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RenderedPrompt)]
#[serde(rename_all = "camelCase")]
pub struct RenderedView {
    /// The number of the version.
    #[schema(example = 1, minimum = 1)]
    pub version: i64,
    /// The model that would be asked; null for the usual one.
    #[schema(example = "small")]
    pub model: Option<String>,
    /// The messages.
    pub messages: Vec<SaidView>,
    /// How freely words would be chosen.
    #[schema(example = 0.2)]
    pub temperature: Option<f64>,
    /// Of which share of the likeliest words.
    #[schema(example = 0.9)]
    pub top_p: Option<f64>,
    /// The most tokens of the answer.
    #[schema(example = 500, minimum = 1)]
    pub max_tokens: Option<u32>,
    /// Texts at which the answer would end.
    pub stop: Vec<String>,
    /// The JSON Schema that the provider would be given; null for an answer of text.
    #[schema(value_type = Option<Object>, example = json!(null))]
    pub schema: Option<Value>,
    /// About how many tokens the question has.
    #[schema(example = 42, minimum = 0)]
    pub estimated_tokens: u64,
}

impl RenderedView {
    fn of(version: &PromptVersion, rendered: Rendered) -> Self {
        let request = rendered.request;
        let said = request.messages.iter().map(|message| SaidView {
            role: match message.role {
                Role::System => RoleName::System,
                Role::Assistant => RoleName::Assistant,
                Role::User | Role::Tool => RoleName::User,
            },
            text: message.texts().collect(),
        });
        Self {
            version: version.number.0,
            model: rendered.model,
            messages: said.collect(),
            temperature: request.temperature,
            top_p: request.top_p,
            max_tokens: request.max_tokens,
            stop: request.stop.clone(),
            schema: match request.format {
                ResponseFormat::Schema { schema, .. } => Some(schema),
                ResponseFormat::Text | ResponseFormat::Json => None,
            },
            estimated_tokens: rendered.tokens,
        }
    }
}

/// Says what a model would be told: the messages, the settings, and about how many tokens that is. Nobody is asked, and nothing is spent.
#[utoipa::path(
    tag = "assistant",
    request_body = ValuesBody,
    params(PromptName),
    responses(
        (status = 200, description = "What a model would be told", body = RenderedView),
        (status = 404, description = "No such prompt or version"),
        (status = 409, description = "No version serves, or the prompt is put away"),
    ),
    security(("bearer" = ["assistant:use"]))
)]
#[post("/api/v1/assistant/prompts/{name}/render")]
pub async fn render_prompt(auth: Auth<UseAssistant>, services: Shared, path: PromptName, body: JsonBody) -> Answer {
    let asked = body.read(|fields| Some(asked(fields)))?;
    let prompts = &services.assistant.prompts;
    let prompt = prompts.named(&path.name).await?;
    let version = services.served(&prompt, &asked, auth.0.principal()).await?;
    let rendered = render(prompts.templates.as_ref(), &version.content, &asked.variables).await?;
    Ok(HttpResponse::Ok().json(RenderedView::of(&version, rendered)))
}
