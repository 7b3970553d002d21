//! What a refusal of a provider means.

use std::time::Duration;

use domain::assistant::{Fault, FaultClass};
use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    client::CallError,
    resilience::{Class, Refused},
};

/// The most characters of a provider's words that are told on.
const WORDS: usize = 500;
/// When to come again to a provider that has as many questions as it may have: who need not be answered at once waits rather than fail.
const FULL: Duration = Duration::from_millis(250);
/// What providers write of a question that is too long.
const TOO_LONG: [&str; 8] = [
    "context_length_exceeded",
    "maximum context length",
    "context window",
    "context length",
    "prompt is too long",
    "exceeds the maximum number of tokens",
    "exceed context limit",
    "input token count",
];
/// What they write of what they will not answer.
const WITHHELD: [&str; 4] = ["content_filter", "content_policy", "content management policy", "safety system"];

/// What an answer that is none means.
pub(super) fn refused(status: StatusCode, after: Option<Duration>, body: &[u8]) -> Fault {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    // Gemini wraps some in a list.
    let json = json.get(0).unwrap_or(&json);
    let error = json.get("error").unwrap_or(json);
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let said = error.as_str().unwrap_or_else(|| text("message"));
    let words = format!("{} {} {} {said}", text("code"), text("type"), text("status")).to_lowercase();
    let says = |known: &[&str]| known.iter().any(|known| words.contains(known));
    let said: String = said.chars().take(WORDS).collect();
    let class = match status.as_u16() {
        401..=403 => FaultClass::Authentication,
        429 if says(&["insufficient_quota", "credit balance"]) => FaultClass::Authentication,
        429 => FaultClass::RateLimited,
        408 | 504 => FaultClass::Timeout,
        _ if says(&TOO_LONG) => FaultClass::ContextWindow,
        _ if says(&WITHHELD) => FaultClass::ContentPolicy,
        // Gemini says so of a key that is wrong.
        400 if says(&["api key not valid", "api_key_invalid", "credit balance"]) => FaultClass::Authentication,
        400..=499 => FaultClass::Refused,
        _ => FaultClass::Unavailable,
    };
    let message = match class {
        // Their words may hold a part of the key.
        FaultClass::Authentication => "The provider does not take this shop's key, or its account is empty".to_owned(),
        FaultClass::Unavailable => "The provider failed".to_owned(),
        FaultClass::Timeout => "The provider took too long".to_owned(),
        _ if said.is_empty() => format!("The provider refused with status {}", status.as_u16()),
        _ => said,
    };
    Fault { retry_after: after, ..Fault::new(class, message) }
}

/// What a call that came to nothing means.
pub(super) fn failed(error: &CallError) -> Fault {
    let fault = |class, message: &str| Fault::new(class, message);
    match error {
        CallError::TimedOut(_) => fault(FaultClass::Timeout, "The provider took too long").costly(),
        CallError::Refused(refused) => left_alone(*refused),
        CallError::TooLarge(_) => fault(FaultClass::InvalidAnswer, "The provider's answer is too long").costly(),
        error if error.is_unsent() => fault(FaultClass::Unavailable, "The provider is away"),
        CallError::Away(_) => fault(FaultClass::Unavailable, "The provider is away or broke off").costly(),
        _ => fault(FaultClass::Unavailable, "The provider cannot be called"),
    }
}

/// What it means that a provider was not called.
pub(super) fn left_alone(refused: Refused) -> Fault {
    match refused {
        Refused::Open(after) => Fault {
            retry_after: Some(after),
            ..Fault::new(FaultClass::Unavailable, "The provider failed too often and is left alone for a while")
        },
        Refused::TooMuch(after) => Fault {
            retry_after: Some(after),
            ..Fault::new(FaultClass::RateLimited, "The provider wants to be asked less often")
        },
        Refused::Full => Fault {
            retry_after: Some(FULL),
            ..Fault::new(FaultClass::Unavailable, "Too many questions are with the provider already")
        },
        Refused::TimedOut(_) => Fault::new(FaultClass::Timeout, "The provider took too long").costly(),
        Refused::Late => Fault::new(FaultClass::Timeout, "Nobody waits for it any more"),
    }
}

/// What a failure says of who caused it.
pub(super) fn class(fault: &Fault) -> Class {
    match fault.class {
        FaultClass::RateLimited => Class::TooMuch { after: fault.retry_after, failed: false },
        FaultClass::Unavailable | FaultClass::Timeout | FaultClass::Cut | FaultClass::InvalidAnswer => Class::Failed,
        FaultClass::ContextWindow | FaultClass::ContentPolicy | FaultClass::Authentication | FaultClass::Refused => {
            Class::Answered
        }
    }
}

/// An answer that cannot be read.
pub(super) fn unreadable() -> Fault {
    Fault::new(FaultClass::InvalidAnswer, "The provider's answer cannot be read").costly()
}

/// An answer that ended in the middle.
pub(super) fn cut() -> Fault {
    Fault::new(FaultClass::Cut, "The provider broke off in the middle of its answer").costly()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_each_provider_are_understood() {
        for (status, body, expected) in [
            (401, r#"{"error":{"message":"Incorrect API key provided: sk-abc"}}"#, FaultClass::Authentication),
            (
                400,
                r#"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]"#,
                FaultClass::Authentication,
            ),
            (429, r#"{"error":{"code":"insufficient_quota","message":"You exceeded it"}}"#, FaultClass::Authentication),
            (429, r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#, FaultClass::RateLimited),
            (
                400,
                r#"{"error":{"code":"context_length_exceeded","message":"This model's.."}}"#,
                FaultClass::ContextWindow,
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 3 > 2"}}"#,
                FaultClass::ContextWindow,
            ),
            (
                400,
                r#"{"error":{"message":"The input token count (9) exceeds the maximum"}}"#,
                FaultClass::ContextWindow,
            ),
            (400, r#"{"error":{"code":"content_filter","message":"no"}}"#, FaultClass::ContentPolicy),
            (404, r#"{"error":"model 'x' not found"}"#, FaultClass::Refused),
            (
                529,
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                FaultClass::Unavailable,
            ),
            (500, "<html>", FaultClass::Unavailable),
            (504, "", FaultClass::Timeout),
        ] {
            let fault = refused(StatusCode::from_u16(status).unwrap(), None, body.as_bytes());
            assert_eq!(fault.class, expected, "{body}");
            assert!(!fault.message.contains("sk-abc") && !fault.message.is_empty());
        }
    }
}
