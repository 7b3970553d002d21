//! Tools and their calls as JSON.

use chrono::{DateTime, Utc};
use domain::assistant::tools::{NAMES, Outcome, Spec};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::named;
use crate::body::Fields;

/// The tools there are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantToolName)]
#[serde(rename_all = "snake_case")]
pub enum ToolNameView {
    /// Finds published products by words and by meaning.
    SearchProducts,
    /// Reads one product.
    ReadProduct,
    /// Lists products like another.
    ListSimilarProducts,
    /// Lists products of one's own, drafts among them.
    ListOwnProducts,
    /// Proposes a product as a draft.
    DraftListing,
}

/// A tool.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantTool)]
pub struct ToolView<'a> {
    /// Its name.
    #[schema(value_type = ToolNameView)]
    name: &'a str,
    /// Its name for people.
    #[schema(example = "Search products")]
    title: &'a str,
    /// What it does, for a model.
    #[schema(example = "Finds published products by words and by meaning, the best first.")]
    description: &'a str,
    /// Whether it writes: then it only proposes, until it is confirmed.
    writes: bool,
    /// The JSON Schema (2020-12) of its arguments.
    #[schema(value_type = Object, example = json!({ "properties": { "query": { "minLength": 1 } }, "additionalProperties": false }))]
    parameters: &'a Value,
}

/// The tools that the caller may use.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantTools)]
pub struct ToolsView<'a> {
    /// The tools.
    items: Vec<ToolView<'a>>,
}

impl<'a> ToolsView<'a> {
    /// These tools as they are shown.
    pub fn new(specs: &'a [Spec]) -> Self {
        let items = specs.iter().map(|spec| ToolView {
            name: spec.name,
            title: spec.title,
            description: spec.description,
            writes: spec.writes,
            parameters: &spec.parameters,
        });
        Self { items: items.collect() }
    }
}

/// A call of a tool.
#[derive(Debug, ToSchema)]
#[schema(as = AssistantToolCall, example = json!({ "tool": "search_products", "arguments": { "query": "reading lamp" } }))]
pub struct CallBody {
    /// The tool.
    pub tool: ToolNameView,
    /// What it is given, as its schema says; nothing when absent.
    #[schema(value_type = Option<Object>, example = json!({ "query": "reading lamp" }))]
    pub arguments: Option<Map<String, Value>>,
    /// The confirmation of what it proposed for these arguments.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub confirmation: Option<String>,
}

/// A call that was read.
#[derive(Debug)]
pub struct Call {
    pub tool: &'static str,
    pub arguments: Map<String, Value>,
    pub confirmation: Option<String>,
}

/// Reads a [`CallBody`].
pub fn call(fields: &mut Fields<'_>) -> Option<Call> {
    let tool = fields.choice("tool", named, &NAMES.join(", "));
    if tool.is_none() && fields.violations.is_empty() {
        fields.violations.missing::<()>("/tool");
    }
    let arguments = fields.object("arguments").unwrap_or_default();
    let confirmation = fields.text("confirmation");
    let digits = |text: &String| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if confirmation.as_ref().is_some_and(|text| !digits(text)) {
        fields.violations.add(
            "/confirmation",
            "pattern",
            "must be the confirmation of a proposal: 64 hexadecimal digits",
        );
    }
    Some(Call { tool: tool?, arguments, confirmation })
}

/// What came of a call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantToolOutcomeName)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeNameView {
    /// It was done.
    Done,
    /// Nothing was done yet.
    Proposed,
}

/// What would be written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantToolProposal)]
#[serde(rename_all = "camelCase")]
pub struct ProposalView {
    /// What would be done, for whoever is asked.
    #[schema(example = "Create the draft \"Reading lamp\" at 19.95 EUR, 3 in stock.")]
    summary: String,
    /// What to send, with the same tool and the same arguments, to have it done; good once.
    #[schema(example = "0190f5fe7c007a0080000123456789ab00112233445566778899aabbccddeeff")]
    confirmation: String,
    /// Until when that is good.
    expires_at: DateTime<Utc>,
}

/// What came of a call of a tool.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantToolOutcome)]
pub struct CallView {
    /// Whether it was done.
    outcome: OutcomeNameView,
    /// What was found or made; null when nothing was done yet.
    #[schema(required, value_type = Option<Object>, example = json!({ "products": [] }))]
    result: Option<Value>,
    /// What would be done; null when it was.
    #[schema(required)]
    proposal: Option<ProposalView>,
}

impl CallView {
    /// An outcome that is no refusal.
    ///
    /// # Errors
    /// The refusal, when it is one.
    pub fn of(outcome: Outcome) -> domain::Result<Self> {
        match outcome {
            Outcome::Done(found) => Ok(Self { outcome: OutcomeNameView::Done, result: Some(found), proposal: None }),
            Outcome::Proposed(one) => {
                let (summary, confirmation, expires_at) = (one.summary, one.confirmation, one.expires_at);
                let proposal = Some(ProposalView { summary, confirmation, expires_at });
                Ok(Self { outcome: OutcomeNameView::Proposed, result: None, proposal })
            }
            Outcome::Refused(error) => Err(error),
        }
    }
}
