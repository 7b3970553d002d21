//! What is looked at before a message is handed on: its headers, and whether it is one message.

use actix_web::http::{
    StatusCode,
    header::{self, HeaderMap},
};
use rmcp::model::ProtocolVersion;
use serde_json::Value;

use super::errors::refusal;
use crate::problem::Problem;

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";

/// The headers of a message.
///
/// # Errors
/// What is wrong with them.
pub(super) fn heads(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let kind = text(header::CONTENT_TYPE.as_str()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send one message as application/json"));
    }
    let accept = text(header::ACCEPT.as_str()).unwrap_or_default().to_ascii_lowercase();
    if !(accept.contains("application/json") && accept.contains("text/event-stream")) {
        let message = "Accept both application/json and text/event-stream, as the protocol wants it";
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, message));
    }
    if headers.contains_key(SESSION) {
        // None was ever given: a client that has one took it from somebody else, and must begin anew.
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "There is no such session: this server keeps none; initialize anew",
        ));
    }
    if let Some(version) = text(VERSION)
        && !ProtocolVersion::KNOWN_VERSIONS.iter().any(|known| known.as_str() == version)
    {
        let known: Vec<&str> = ProtocolVersion::KNOWN_VERSIONS.iter().map(ProtocolVersion::as_str).collect();
        let message = format!("MCP-Protocol-Version must be one of {}", known.join(", "));
        return Err(Problem::new(StatusCode::BAD_REQUEST, message));
    }
    Ok(())
}

/// One message of JSON-RPC.
///
/// # Errors
/// What is wrong with it.
pub(super) fn message(bytes: &[u8]) -> Result<(), Problem> {
    let message: Value = serde_json::from_slice(bytes)
        .map_err(|fault| refusal(-32700, Value::Null, format!("The body must be one JSON object: {fault}")))?;
    let invalid = |id, message: &str| Err(refusal(-32600, id, message));
    let Value::Object(message) = message else {
        return invalid(Value::Null, "Send one message at a time: this version of the protocol has no batches");
    };
    let id = message.get("id").cloned().unwrap_or_default();
    if !(id.is_null() || id.is_string() || id.is_i64()) {
        return invalid(Value::Null, "\"id\" must be a string or a whole number");
    }
    if message.get("jsonrpc").is_none_or(|version| version != "2.0") {
        return invalid(id, "\"jsonrpc\" must be \"2.0\"");
    }
    let answers = message.contains_key("result") || message.contains_key("error");
    if !answers && !message.get("method").is_some_and(Value::is_string) {
        return invalid(id, "\"method\" must name what is asked for");
    }
    if message.get("params").is_some_and(|params| !params.is_object()) {
        return Err(refusal(-32602, id, "\"params\" must be an object"));
    }
    if message.get("method").is_some_and(|method| method == "tools/call") {
        let params = message.get("params").unwrap_or(&Value::Null);
        if !params.get("name").is_some_and(Value::is_string) {
            return Err(refusal(-32602, id, "/params/name must be the name of a tool; tools/list lists them"));
        }
        if params.get("arguments").is_some_and(|arguments| !arguments.is_object()) {
            return Err(refusal(-32602, id, "/params/arguments must be an object"));
        }
    }
    Ok(())
}
