//! What a version of a prompt says, as JSON.

use chrono::{DateTime, Utc};
use domain::assistant::prompts::{
    AnswerForm, AnswerFormInput, ContentInput, ExampleInput, PromptVersion, Reasoning, ReasoningInput, SpokenBy,
    SpokenInput, Variable, VariableInput, VariableKind, VariableType,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::Fields;

/// Who says a message of a prompt.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = PromptRole)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// The shop: how the model is to behave.
    System,
    /// Whoever asks.
    User,
    /// The model.
    Assistant,
}

impl From<SpokenBy> for RoleName {
    fn from(by: SpokenBy) -> Self {
        match by {
            SpokenBy::System => Self::System,
            SpokenBy::User => Self::User,
            SpokenBy::Assistant => Self::Assistant,
        }
    }
}

/// A message of a prompt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromptMessage)]
pub struct MessageView {
    /// Who says it.
    pub role: RoleName,
    /// What, as a template of Jinja. It may name the variables, and use filters, conditions and loops.
    #[schema(example = "Describe {{ title }}.", min_length = 1, max_length = 20_000, format = "paragraph")]
    pub template: String,
}

/// A question with the answer that is wished for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromptExample)]
pub struct ExampleView {
    /// The question, as a template.
    #[schema(example = "Describe a pen.", min_length = 1, max_length = 20_000, format = "paragraph")]
    pub user: String,
    /// The answer, as a template.
    #[schema(example = "It writes.", min_length = 1, max_length = 20_000, format = "paragraph")]
    pub assistant: String,
}

/// What a variable takes.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = PromptVariableType)]
#[serde(rename_all = "lowercase")]
pub enum TypeName {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A decimal number in a text, such as "19.95", so that it stays exact.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// One of several texts.
    Choice,
    /// A list of texts.
    Texts,
}

/// A variable that templates may name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromptVariable)]
#[serde(rename_all = "camelCase")]
pub struct VariableView {
    /// Its name.
    #[schema(example = "title", pattern = "^[A-Za-z][A-Za-z0-9_]{0,63}$")]
    pub name: String,
    /// What it takes.
    pub r#type: TypeName,
    /// What it is.
    #[schema(example = "The name of the product", max_length = 500, format = "paragraph")]
    pub description: Option<String>,
    /// The most characters of a text, or of each of a list; 2000 when absent.
    #[schema(minimum = 1, maximum = 50_000)]
    pub max_length: Option<usize>,
    /// The most items of a list; 20 when absent.
    #[schema(minimum = 1, maximum = 200)]
    pub max_items: Option<usize>,
    /// The least whole number.
    #[schema(minimum = -9_223_372_036_854_775_808_i64, maximum = 9_223_372_036_854_775_807_i64)]
    pub minimum: Option<i64>,
    /// The largest whole number.
    #[schema(minimum = -9_223_372_036_854_775_808_i64, maximum = 9_223_372_036_854_775_807_i64)]
    pub maximum: Option<i64>,
    /// The texts to choose from.
    #[schema(max_items = 100, min_length = 1, max_length = 200, format = "name")]
    pub choices: Option<Vec<String>>,
    /// The value where none is given; one must be given where this is absent.
    pub default: Option<Value>,
}

impl From<&Variable> for VariableView {
    fn from(one: &Variable) -> Self {
        let mut view = Self {
            name: one.name.clone(),
            r#type: TypeName::Text,
            description: Some(one.description.clone()),
            max_length: None,
            max_items: None,
            minimum: None,
            maximum: None,
            choices: None,
            default: one.default.clone(),
        };
        match &one.kind {
            VariableKind::Text { max_length } => view.max_length = Some(*max_length),
            VariableKind::Integer { minimum, maximum } => {
                (view.r#type, view.minimum, view.maximum) = (TypeName::Integer, Some(*minimum), Some(*maximum));
            }
            VariableKind::Decimal => view.r#type = TypeName::Decimal,
            VariableKind::Boolean => view.r#type = TypeName::Boolean,
            VariableKind::Choice { choices } => {
                (view.r#type, view.choices) = (TypeName::Choice, Some(choices.clone()));
            }
            VariableKind::Texts { max_items, max_length } => {
                view.r#type = TypeName::Texts;
                (view.max_items, view.max_length) = (Some(*max_items), Some(*max_length));
            }
        }
        view
    }
}

/// The form of an answer.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = PromptAnswerType)]
#[serde(rename_all = "lowercase")]
pub enum AnswerTypeName {
    /// Text.
    Text,
    /// JSON that keeps a schema.
    Json,
}

/// The form of the answers to a prompt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromptAnswer)]
pub struct AnswerView {
    /// Which.
    pub r#type: AnswerTypeName,
    /// The JSON Schema of an answer of JSON; its type is object.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// Whether the provider must keep to the schema by the letter, where it can; it must when absent.
    pub strict: Option<bool>,
}

/// Whether steps are asked for.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = PromptReasoningForm)]
#[serde(rename_all = "lowercase")]
pub enum ReasoningName {
    /// They are not.
    None,
    /// They are, and stand before the answer.
    Steps,
}

/// Whether the steps to an answer are asked for before it, and how the two are told apart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromptReasoning)]
pub struct ReasoningView {
    /// Whether.
    pub form: ReasoningName,
    /// In which words; the usual ones when absent.
    #[schema(example = "Think step by step before you answer.", max_length = 2000, format = "paragraph")]
    pub asked: Option<String>,
    /// The line of its own that stands between the steps and an answer of text; `### Answer` when absent. In an answer of JSON they stand
    /// in the fields `reasoning` and `result`.
    #[schema(example = "### Answer", max_length = 100, format = "line")]
    pub marker: Option<String>,
}

/// What a version of a prompt says.
#[derive(Debug, ToSchema)]
#[schema(as = NewPromptVersion)]
#[serde(rename_all = "camelCase")]
pub struct ContentBody {
    /// The messages: those of the role system first, and one of the role user last. All of them system is for conversations alone.
    #[schema(min_items = 1, max_items = 20, example = json!([{ "role": "system", "template": "You write for a shop." }, { "role": "user", "template": "Describe {{ title }}." }]))]
    pub messages: Vec<MessageView>,
    /// Questions and answers that stand between those of the role system and the rest.
    #[schema(max_items = 20, example = json!([{ "user": "Describe a pen.", "assistant": "It writes." }]))]
    pub examples: Option<Vec<ExampleView>>,
    /// What templates may name.
    #[schema(max_items = 50, example = json!([{ "name": "title", "type": "text", "description": "The name of the product", "maxLength": 200 }]))]
    pub variables: Option<Vec<VariableView>>,
    /// The model that is asked; the usual one when absent.
    #[schema(example = "small", min_length = 1, max_length = 100, format = "name")]
    pub model: Option<String>,
    /// How freely words are chosen.
    #[schema(example = 0.2, minimum = 0, maximum = 2)]
    pub temperature: Option<f64>,
    /// Of which share of the likeliest words.
    #[schema(example = 0.9, minimum = 0, maximum = 1)]
    pub top_p: Option<f64>,
    /// The most tokens of the answer.
    #[schema(example = 500, minimum = 1, maximum = 1_000_000)]
    pub max_tokens: Option<i64>,
    /// Texts at which the answer ends.
    #[schema(max_items = 4, min_length = 1, max_length = 100, format = "paragraph", example = json!(["END"]))]
    pub stop: Option<Vec<String>>,
    /// The form of the answer; text when absent.
    #[schema(example = json!({ "type": "text" }))]
    pub answer: Option<AnswerView>,
    /// Whether the steps to it are asked for; not when absent.
    #[schema(example = json!({ "form": "none" }))]
    pub reasoning: Option<ReasoningView>,
}

/// Reads a [`ContentBody`].
pub(super) fn new_content(fields: &mut Fields<'_>) -> ContentInput {
    let messages = fields.objects("messages", |fields| {
        let role = fields.choice("role", SpokenBy::named, "system, user and assistant");
        Some(SpokenInput { role, template: fields.text("template") })
    });
    if messages.is_none() && !fields.violations.iter().any(|one| one.field.starts_with("/messages")) {
        fields.violations.missing::<()>("/messages");
    }
    let examples = fields.objects("examples", |fields| {
        Some(ExampleInput { user: fields.text("user"), assistant: fields.text("assistant") })
    });
    ContentInput {
        messages: messages.unwrap_or_default(),
        examples: examples.unwrap_or_default(),
        variables: fields.objects("variables", |fields| Some(variable(fields))).unwrap_or_default(),
        model: fields.text("model"),
        temperature: fields.float("temperature"),
        top_p: fields.float("topP"),
        max_tokens: fields.integer("maxTokens"),
        stop: fields.texts("stop").unwrap_or_default(),
        answer: fields.nested("answer", answer).unwrap_or_default(),
        reasoning: fields.nested("reasoning", reasoning).unwrap_or_default(),
    }
}

fn variable(fields: &mut Fields<'_>) -> VariableInput {
    VariableInput {
        name: fields.text("name"),
        kind: fields.choice("type", VariableType::named, "text, integer, decimal, boolean, choice and texts"),
        description: fields.text("description"),
        max_length: fields.integer("maxLength"),
        max_items: fields.integer("maxItems"),
        minimum: fields.integer("minimum"),
        maximum: fields.integer("maximum"),
        choices: fields.texts("choices"),
        default: fields.any("default"),
    }
}

/// `first` or `second`.
fn either<'a>(first: &'a str, second: &'a str) -> impl Fn(&str) -> Option<bool> + use<'a> {
    move |name| if name == second { Some(true) } else { (name == first).then_some(false) }
}

fn answer(fields: &mut Fields<'_>) -> Option<AnswerFormInput> {
    let is_json = fields.choice("type", either("text", "json"), "text and json");
    let (schema, strict) = (fields.object("schema"), fields.boolean("strict"));
    match is_json {
        None if fields.violations.is_empty() => fields.violations.missing("/type"),
        is_json => Some(AnswerFormInput { is_json, schema, strict }),
    }
}

fn reasoning(fields: &mut Fields<'_>) -> Option<ReasoningInput> {
    let has_steps = fields.choice("form", either("none", "steps"), "none and steps");
    let (asked, marker) = (fields.text("asked"), fields.text("marker"));
    match has_steps {
        None if fields.violations.is_empty() => fields.violations.missing("/form"),
        has_steps => Some(ReasoningInput { has_steps, asked, marker }),
    }
}

/// A version of a prompt. It is never changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromptVersion)]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// Its number, from 1.
    #[schema(example = 1, minimum = 1)]
    pub number: i64,
    /// The messages.
    pub messages: Vec<MessageView>,
    /// Questions and answers that stand between those of the role system and the rest.
    pub examples: Vec<ExampleView>,
    /// What templates may name.
    pub variables: Vec<VariableView>,
    /// The model that is asked; null for the usual one.
    #[schema(example = "small")]
    pub model: Option<String>,
    /// How freely words are chosen.
    #[schema(example = 0.2)]
    pub temperature: Option<f64>,
    /// Of which share of the likeliest words.
    #[schema(example = 0.9)]
    pub top_p: Option<f64>,
    /// The most tokens of the answer.
    #[schema(example = 500, minimum = 1)]
    pub max_tokens: Option<u32>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// The form of the answer.
    pub answer: AnswerView,
    /// Whether the steps to it are asked for.
    pub reasoning: ReasoningView,
    /// Who wrote it.
    pub written_by: Uuid,
    /// When.
    pub written_at: DateTime<Utc>,
}

impl From<&PromptVersion> for VersionView {
    fn from(version: &PromptVersion) -> Self {
        let content = &version.content;
        let messages = content.messages.iter();
        let examples = content.examples.iter();
        Self {
            number: version.number.0,
            messages: messages
                .map(|one| MessageView { role: one.role.into(), template: one.template.clone() })
                .collect(),
            examples: examples
                .map(|one| ExampleView { user: one.user.clone(), assistant: one.assistant.clone() })
                .collect(),
            variables: content.variables.iter().map(VariableView::from).collect(),
            model: content.model.clone(),
            temperature: content.temperature,
            top_p: content.top_p,
            max_tokens: content.max_tokens,
            stop: content.stop.clone(),
            answer: AnswerView::from(&content.answer),
            reasoning: ReasoningView::from(&content.reasoning),
            written_by: version.written_by.0,
            written_at: version.written_at,
        }
    }
}

impl From<&AnswerForm> for AnswerView {
    fn from(form: &AnswerForm) -> Self {
        match form {
            AnswerForm::Text => Self { r#type: AnswerTypeName::Text, schema: None, strict: None },
            AnswerForm::Json { schema, strict } => {
                Self { r#type: AnswerTypeName::Json, schema: Some(schema.clone()), strict: Some(*strict) }
            }
        }
    }
}

impl From<&Reasoning> for ReasoningView {
    fn from(reasoning: &Reasoning) -> Self {
        match reasoning {
            Reasoning::None => Self { form: ReasoningName::None, asked: None, marker: None },
            Reasoning::Steps { asked, marker } => {
                Self { form: ReasoningName::Steps, asked: Some(asked.clone()), marker: Some(marker.clone()) }
            }
        }
    }
}
