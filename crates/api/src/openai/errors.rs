//! Refusals and faults in the form of this protocol.

use actix_web::http::{
    StatusCode,
    header::{self, HeaderValue},
};
use domain::{
    Error,
    assistant::{Denied, Fault, FaultClass, Refusal},
    clock::Timestamp,
};
use serde_json::{Value, json};

use crate::problem::Problem;

/// A refusal that names a field, by a code of this protocol.
pub(super) fn refusal(status: StatusCode, code: &str, param: Option<&str>, message: impl Into<String>) -> Problem {
    Problem::new(status, message).detail("code", code.into()).detail("param", param.map_or(Value::Null, Value::from))
}

/// A field that is not what it should be.
pub(super) fn invalid(param: &str, message: impl std::fmt::Display) -> Problem {
    refusal(StatusCode::BAD_REQUEST, "invalid_value", Some(param), format!("'{param}' {message}"))
}

/// The body of an error of this protocol.
pub fn body(problem: &Problem) -> Vec<u8> {
    let detail = |name: &str| problem.details().get(name).cloned().unwrap_or(Value::Null);
    let status = problem.status();
    let mut code = detail("code");
    if code.is_null() {
        code = match status.as_u16() {
            401 => "invalid_api_key".into(),
            429 => "rate_limit_exceeded".into(),
            _ => problem.code().to_lowercase().into(),
        };
    }
    let kind = match status.as_u16() {
        _ if code == "insufficient_quota" => "insufficient_quota",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    let error = json!({ "message": problem.message(), "type": kind, "param": detail("param"), "code": code });
    json!({ "error": error }).to_string().into_bytes()
}

/// Why nothing was answered.
pub(super) fn denied(denied: Denied, now: Timestamp) -> Problem {
    match denied {
        Denied::NotConfigured => refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "assistant_not_configured",
            None,
            "This shop has no provider of language models",
        ),
        Denied::UnknownModel(model) => refusal(
            StatusCode::NOT_FOUND,
            "model_not_found",
            Some("model"),
            format!("The model '{model}' does not exist or does not do this; GET /v1/models lists those that do"),
        ),
        Denied::NotForKey(model) => refusal(
            StatusCode::FORBIDDEN,
            "model_not_found",
            Some("model"),
            format!("This API key is not for the model '{model}'"),
        ),
        Denied::TooLong { tokens, window } => refusal(
            StatusCode::BAD_REQUEST,
            "context_length_exceeded",
            Some("messages"),
            format!("This has about {tokens} tokens, and the model reads at most {window}"),
        ),
        Denied::Unsupported { field, message } => invalid(field, message),
        Denied::NotKept => {
            let message = "No answer to this is kept; without 'only-if-cached' the model is asked";
            refusal(StatusCode::GATEWAY_TIMEOUT, "not_cached", None, message)
        }
        Denied::Budget(Refusal { budget, ends_at }) => {
            let message = format!("The budget '{budget}' has no room for the most this could use");
            let problem = refusal(StatusCode::TOO_MANY_REQUESTS, "insufficient_quota", None, message);
            later(problem, (ends_at - now).to_std().unwrap_or_default())
        }
        Denied::Unpriced(model) => refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "model_not_priced",
            Some("model"),
            format!("The model '{model}' has no price, so that a budget of money cannot be kept"),
        ),
        Denied::Limited(after) => Problem::from(Error::Limited(after)),
        Denied::Fault(fault) => failed(&fault),
        Denied::Error(error) => error.into(),
    }
}

/// What became of a call that its provider did not answer.
fn failed(fault: &Fault) -> Problem {
    let (status, code) = told(fault.class);
    let param = (fault.class == FaultClass::ContextWindow).then_some("messages");
    let problem = refusal(status, code, param, fault.message.clone());
    match fault.retry_after {
        Some(after) => later(problem, after),
        None => problem,
    }
}

/// A fault in the middle of a stream.
pub(super) fn piece(fault: &Fault) -> Value {
    let (status, code) = told(fault.class);
    let kind = if status.is_server_error() { "server_error" } else { "invalid_request_error" };
    json!({ "error": { "message": fault.message, "type": kind, "param": null, "code": code } })
}

fn told(class: FaultClass) -> (StatusCode, &'static str) {
    match class {
        FaultClass::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "provider_rate_limited"),
        FaultClass::ContextWindow => (StatusCode::BAD_REQUEST, "context_length_exceeded"),
        FaultClass::ContentPolicy => (StatusCode::BAD_REQUEST, "content_filter"),
        FaultClass::Authentication => (StatusCode::BAD_GATEWAY, "provider_authentication"),
        FaultClass::Refused => (StatusCode::BAD_REQUEST, "provider_refused"),
        FaultClass::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "provider_unavailable"),
        FaultClass::Timeout => (StatusCode::GATEWAY_TIMEOUT, "provider_timeout"),
        FaultClass::Cut => (StatusCode::BAD_GATEWAY, "provider_cut"),
        FaultClass::InvalidAnswer => (StatusCode::BAD_GATEWAY, "provider_invalid_answer"),
    }
}

fn later(problem: Problem, after: std::time::Duration) -> Problem {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    problem.header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
}
