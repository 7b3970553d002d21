//! Why nothing was answered, in the form of the API.

use std::time::Duration;

use actix_web::http::{
    StatusCode,
    header::{self, HeaderValue},
};
use domain::{
    Error,
    assistant::{Denied, Fault, FaultClass, Refusal},
    clock::Timestamp,
};

use crate::problem::{In, Problem};

fn refused(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Problem {
    Problem::new(status, message).detail("reason", reason.into())
}

/// What is told of it. `details.reason` has a code for each.
pub(crate) fn denied(denied: Denied, now: Timestamp) -> Problem {
    match denied {
        Denied::NotConfigured => refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "assistant_not_configured",
            "This shop has no provider of language models",
        ),
        Denied::UnknownModel(_) => Problem::broken(
            In::Body,
            "/model",
            "unknown",
            "must be a model that there is and that answers; GET /v1/models lists them",
        )
        .detail("reason", "model_not_found".into()),
        Denied::NotForKey(model) => {
            refused(StatusCode::FORBIDDEN, "model_not_found", format!("This API key is not for the model '{model}'"))
        }
        Denied::TooLong { tokens, window } => Problem::broken(
            In::Body,
            "/messages",
            "context_length",
            format!("has about {tokens} tokens, and the model reads at most {window}"),
        )
        .detail("reason", "context_length_exceeded".into()),
        Denied::Unsupported { field, message } => {
            Problem::broken(In::Body, &format!("/{field}"), "unsupported", message)
        }
        Denied::NotKept => refused(StatusCode::GATEWAY_TIMEOUT, "not_kept", "No answer to this is kept"),
        Denied::Budget(Refusal { budget, ends_at }) => {
            let message = format!("The budget '{budget}' has no room for the most this could use");
            let problem = refused(StatusCode::TOO_MANY_REQUESTS, "insufficient_quota", message);
            later(problem, (ends_at - now).to_std().unwrap_or_default())
        }
        Denied::Unpriced(model) => refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "model_not_priced",
            format!("The model '{model}' has no price, so that a budget of money cannot be kept"),
        ),
        Denied::Limited(after) => Problem::from(Error::Limited(after)),
        Denied::Fault(fault) => failed(&fault),
        Denied::Error(error) => error.into(),
    }
}

fn failed(fault: &Fault) -> Problem {
    let (status, reason) = match fault.class {
        FaultClass::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "provider_rate_limited"),
        FaultClass::ContextWindow => (StatusCode::BAD_REQUEST, "context_length_exceeded"),
        FaultClass::ContentPolicy => (StatusCode::UNPROCESSABLE_ENTITY, "content_filter"),
        FaultClass::Refused => (StatusCode::UNPROCESSABLE_ENTITY, "provider_refused"),
        FaultClass::Authentication => (StatusCode::BAD_GATEWAY, "provider_authentication"),
        FaultClass::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "provider_unavailable"),
        FaultClass::Timeout => (StatusCode::GATEWAY_TIMEOUT, "provider_timeout"),
        FaultClass::Cut => (StatusCode::BAD_GATEWAY, "provider_cut"),
        FaultClass::InvalidAnswer => (StatusCode::BAD_GATEWAY, "provider_invalid_answer"),
    };
    let problem = refused(status, reason, fault.message.clone());
    match fault.retry_after {
        Some(after) => later(problem, after),
        None => problem,
    }
}

fn later(problem: Problem, after: Duration) -> Problem {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    problem.header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
}
