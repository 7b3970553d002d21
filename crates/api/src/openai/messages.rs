//! What was said so far, read from the words of this protocol.

use actix_web::http::StatusCode;
use domain::assistant::{Image, Message, Part, Role, ToolCall};
use serde_json::{Map, Value};

use super::errors::{invalid, refusal};
use crate::problem::Problem;

/// Reads `messages`.
///
/// # Errors
/// 400 that names the place.
pub(super) fn read(body: &Map<String, Value>) -> Result<Vec<Message>, Problem> {
    let Some(messages) = body.get("messages") else {
        let message = "you must provide a 'messages' parameter";
        return Err(refusal(StatusCode::BAD_REQUEST, "missing_required_parameter", Some("messages"), message));
    };
    let messages = messages.as_array().filter(|messages| !messages.is_empty());
    let messages = messages.ok_or_else(|| invalid("messages", "must be a list of at least one message"))?;
    messages.iter().enumerate().map(|(place, message)| one(message, &format!("messages.[{place}]"))).collect()
}

fn one(message: &Value, at: &str) -> Result<Message, Problem> {
    let message = message.as_object().ok_or_else(|| invalid(at, "must be an object"))?;
    let role = match message.get("role").and_then(Value::as_str) {
        Some("system" | "developer") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("tool" | "function") => Role::Tool,
        _ => {
            let message = "must be one of system, developer, user, assistant, tool";
            return Err(invalid(&format!("{at}.role"), message));
        }
    };
    let parts = match message.get("content") {
        None | Some(Value::Null) if role == Role::Assistant => Vec::new(),
        Some(Value::String(text)) => vec![Part::Text(text.clone())],
        Some(Value::Array(parts)) => {
            let part = |(place, one): (usize, &Value)| part(one, &format!("{at}.content.[{place}]"));
            parts.iter().enumerate().map(part).collect::<Result<_, _>>()?
        }
        _ => return Err(invalid(&format!("{at}.content"), "must be a text or a list of parts")),
    };
    let tool_calls = match message.get("tool_calls") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(calls)) if role == Role::Assistant => {
            let read = |(place, one): (usize, &Value)| call(one, &format!("{at}.tool_calls.[{place}]"));
            calls.iter().enumerate().map(read).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(invalid(&format!("{at}.tool_calls"), "must be a list, of an assistant's message alone")),
    };
    let answers = match (role, message.get("tool_call_id").or_else(|| message.get("name")).and_then(Value::as_str)) {
        (Role::Tool, Some(id)) => Some(id.to_owned()),
        (Role::Tool, None) => {
            return Err(invalid(&format!("{at}.tool_call_id"), "must name the call that is answered"));
        }
        _ => None,
    };
    Ok(Message { role, parts, tool_calls, answers })
}

fn part(part: &Value, at: &str) -> Result<Part, Problem> {
    let text = |path: &str| part.pointer(path).and_then(Value::as_str);
    match text("/type") {
        Some("text" | "refusal") => {
            let said = text("/text").or_else(|| text("/refusal"));
            Ok(Part::Text(said.ok_or_else(|| invalid(&format!("{at}.text"), "must be a text"))?.to_owned()))
        }
        Some("image_url") => {
            let at = format!("{at}.image_url.url");
            let url = text("/image_url/url").ok_or_else(|| invalid(&at, "must be an address"))?;
            image(url).map(Part::Image).ok_or_else(|| invalid(&at, "must be an https address, or data in base64"))
        }
        _ => Err(invalid(&format!("{at}.type"), "must be text or image_url")),
    }
}

fn image(url: &str) -> Option<Image> {
    if url.starts_with("https://") || url.starts_with("http://") {
        return Some(Image::Url(url.to_owned()));
    }
    let (media_type, base64) = url.strip_prefix("data:")?.split_once(";base64,")?;
    let fits = media_type.starts_with("image/") && !base64.is_empty();
    fits.then(|| Image::Inline { media_type: media_type.to_owned(), base64: base64.to_owned() })
}

fn call(call: &Value, at: &str) -> Result<ToolCall, Problem> {
    let text = |path: &str, name: &str| {
        let text = call.pointer(path).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| invalid(&format!("{at}.{name}"), "must be a text"))
    };
    Ok(ToolCall {
        id: text("/id", "id")?,
        name: text("/function/name", "function.name")?,
        arguments: text("/function/arguments", "function.arguments")?,
        signature: None,
    })
}
