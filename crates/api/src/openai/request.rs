//! A question, read from the words of this protocol. What is not known here goes on to a provider that speaks it too.

use std::sync::Arc;

use actix_web::http::StatusCode;
use domain::assistant::{ChatRequest, Effort, ResponseFormat, Tool, ToolChoice};
use serde_json::{Map, Value};

use super::{
    errors::{invalid, refusal},
    messages,
};
use crate::problem::Problem;

/// The most answers to one question.
const CHOICES: u64 = 8;

/// A question as it came.
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) request: ChatRequest,
    /// Whether it is to be answered piece by piece.
    pub(super) streams: bool,
    /// Whether the last piece is to say what was used.
    pub(super) says_usage: bool,
}

/// Reads a JSON object.
///
/// # Errors
/// 400.
pub(super) fn object(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    serde_json::from_slice(bytes).map_err(|fault| {
        let message = format!("The body must be one JSON object: {fault}");
        refusal(StatusCode::BAD_REQUEST, "invalid_json", None, message)
    })
}

/// The name of the model.
///
/// # Errors
/// 400.
pub(super) fn model(body: &Map<String, Value>) -> Result<String, Problem> {
    let model = body.get("model").and_then(Value::as_str).filter(|model| !model.is_empty());
    model.map(str::to_owned).ok_or_else(|| {
        let message = "you must provide a 'model' parameter";
        refusal(StatusCode::BAD_REQUEST, "missing_required_parameter", Some("model"), message)
    })
}

/// Reads a question.
///
/// # Errors
/// 400 that names the field.
pub(super) fn read(body: Map<String, Value>) -> Result<Asked, Problem> {
    let model = model(&body)?;
    let messages = messages::read(&body)?;
    let given = Given(&body);
    let streams = given.flag("stream")?.unwrap_or_default();
    let says_usage = match given.get("stream_options") {
        None => false,
        Some(Value::Object(options)) => options.get("include_usage").and_then(Value::as_bool).unwrap_or_default(),
        Some(_) => return Err(invalid("stream_options", "must be an object")),
    };
    let most = match given.whole("max_completion_tokens", 1..=u64::from(u32::MAX))? {
        None => given.whole("max_tokens", 1..=u64::from(u32::MAX))?,
        most => most,
    };
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let seed = given.get("seed").map(|seed| seed.as_i64().ok_or_else(|| invalid("seed", "must be a whole number")));
    let request = ChatRequest {
        messages,
        tools: given.tools()?,
        tool_choice: given.choice()?,
        parallel_tools: given.flag("parallel_tool_calls")?,
        format: given.format()?,
        max_tokens: most.map(small),
        temperature: given.number("temperature", 2.0)?,
        top_p: given.number("top_p", 1.0)?,
        stop: given.stop()?,
        seed: seed.transpose()?,
        effort: given.effort()?,
        choices: given.whole("n", 1..=CHOICES)?.map_or(1, small),
        original: None,
    };
    Ok(Asked { model, request: ChatRequest { original: Some(Arc::new(body)), ..request }, streams, says_usage })
}

/// The fields of a body.
struct Given<'a>(&'a Map<String, Value>);

impl Given<'_> {
    /// A field that is there; `null` is as good as none.
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        let flag = self.get(name).map(|value| value.as_bool().ok_or_else(|| invalid(name, "must be true or false")));
        flag.transpose()
    }

    fn whole(&self, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>, Problem> {
        let fits = |value: &Value| {
            let number = value.as_u64().filter(|number| range.contains(number));
            let message = format!("must be a whole number from {} to {}", range.start(), range.end());
            number.ok_or_else(|| invalid(name, message))
        };
        self.get(name).map(fits).transpose()
    }

    fn number(&self, name: &str, most: f64) -> Result<Option<f64>, Problem> {
        let fits = |value: &Value| {
            let number = value.as_f64().filter(|number| (0.0..=most).contains(number));
            number.ok_or_else(|| invalid(name, format!("must be a number from 0 to {most}")))
        };
        self.get(name).map(fits).transpose()
    }

    fn stop(&self) -> Result<Vec<String>, Problem> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let read = match self.get("stop") {
            None => Some(Vec::new()),
            Some(Value::String(text)) => Some(vec![text.clone()]),
            Some(Value::Array(texts)) => texts.iter().map(text).collect(),
            Some(_) => None,
        };
        read.ok_or_else(|| invalid("stop", "must be a text or a list of texts"))
    }

    fn effort(&self) -> Result<Option<Effort>, Problem> {
        let known = |value: &Value| match value.as_str() {
            Some("low") => Ok(Some(Effort::Low)),
            Some("medium") => Ok(Some(Effort::Medium)),
            Some("high" | "xhigh") => Ok(Some(Effort::High)),
            // No more than a model does by itself.
            Some("none" | "minimal") => Ok(None),
            _ => Err(invalid("reasoning_effort", "must be none, minimal, low, medium, high or xhigh")),
        };
        self.get("reasoning_effort").map_or(Ok(None), known)
    }

    fn tools(&self) -> Result<Vec<Tool>, Problem> {
        let Some(tools) = self.get("tools") else { return Ok(Vec::new()) };
        let tools = tools.as_array().ok_or_else(|| invalid("tools", "must be a list"))?;
        let read = |(place, tool): (usize, &Value)| {
            let at = format!("tools.[{place}]");
            if tool.get("type").and_then(Value::as_str) != Some("function") {
                return Err(invalid(&format!("{at}.type"), "must be function"));
            }
            let text = |path: &str| tool.pointer(path).and_then(Value::as_str);
            let name = text("/function/name").filter(|name| is_name(name));
            let message = "must be 1 to 64 letters, digits, underscores and dashes";
            let name = name.ok_or_else(|| invalid(&format!("{at}.function.name"), message))?;
            let parameters = tool.pointer("/function/parameters").filter(|given| !given.is_null());
            if parameters.is_some_and(|given| !given.is_object()) {
                return Err(invalid(&format!("{at}.function.parameters"), "must be a JSON Schema"));
            }
            Ok(Tool {
                name: name.to_owned(),
                description: text("/function/description").unwrap_or_default().to_owned(),
                parameters: parameters.cloned().unwrap_or_else(|| serde_json::json!({ "type": "object" })),
                strict: tool.pointer("/function/strict").and_then(Value::as_bool).unwrap_or_default(),
            })
        };
        tools.iter().enumerate().map(read).collect()
    }

    fn choice(&self) -> Result<ToolChoice, Problem> {
        let Some(choice) = self.get("tool_choice") else { return Ok(ToolChoice::Auto) };
        let named = choice.pointer("/function/name").and_then(Value::as_str);
        match (choice.as_str(), named) {
            (Some("auto"), _) => Ok(ToolChoice::Auto),
            (Some("none"), _) => Ok(ToolChoice::None),
            (Some("required"), _) => Ok(ToolChoice::Required),
            (None, Some(name)) => Ok(ToolChoice::Named(name.to_owned())),
            _ => Err(invalid("tool_choice", "must be auto, none, required or a function")),
        }
    }

    fn format(&self) -> Result<ResponseFormat, Problem> {
        let Some(format) = self.get("response_format") else { return Ok(ResponseFormat::Text) };
        let at = |path: &str| format.pointer(path);
        match at("/type").and_then(Value::as_str) {
            Some("text") => Ok(ResponseFormat::Text),
            Some("json_object") => Ok(ResponseFormat::Json),
            Some("json_schema") => {
                let schema = at("/json_schema/schema").filter(|schema| schema.is_object());
                let schema = schema.ok_or_else(|| invalid("response_format.json_schema.schema", "must be a schema"))?;
                Ok(ResponseFormat::Schema {
                    name: at("/json_schema/name").and_then(Value::as_str).unwrap_or("answer").to_owned(),
                    schema: schema.clone(),
                    strict: at("/json_schema/strict").and_then(Value::as_bool).unwrap_or_default(),
                })
            }
            _ => Err(invalid("response_format.type", "must be text, json_object or json_schema")),
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}
