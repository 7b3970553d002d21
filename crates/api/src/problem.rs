//! Every refusal and every fault: the only place with status codes of errors.

use std::fmt::Write as _;

use actix_web::{
    HttpResponse, ResponseError,
    body::BoxBody,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use domain::{Error, Violations, idempotency::Reply};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How long a client should wait before it asks again while we are unavailable, in seconds.
const RETRY_SECONDS: u16 = 2;

/// Where in a request a rule is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum In {
    /// The body; the field is a JSON pointer.
    Body,
    /// A query parameter.
    Query,
    /// A path parameter.
    Path,
    /// A header.
    Header,
}

/// A refusal or a fault, ready to be answered. Boxed, because results carry it through every handler.
#[derive(Debug)]
pub struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Error>,
}

impl Problem {
    /// A problem of that status, with the code that belongs to it.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            code: code(status),
            message: message.into(),
            details: Map::new(),
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// Broken rules, all of them in one part of the request.
    pub fn invalid(part: In, violations: &Violations) -> Self {
        let fields: Vec<Value> = violations
            .iter()
            .map(|v| json!({ "in": part, "field": v.field, "rule": v.rule, "message": v.message }))
            .collect();
        Self::new(StatusCode::BAD_REQUEST, "Validation failed").detail("fields", fields.into())
    }

    /// One broken rule.
    pub fn broken(part: In, field: &str, rule: &'static str, message: impl Into<String>) -> Self {
        let mut violations = Violations::default();
        violations.add(field, rule, message);
        Self::invalid(part, &violations)
    }

    /// An unknown path.
    pub fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Route not found")
    }

    /// A known path asked with a method it does not have.
    pub fn wrong_method(allow: &str) -> Self {
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("This path answers to {allow}"));
        match HeaderValue::from_str(allow) {
            Ok(value) => problem.header(header::ALLOW, value),
            Err(_) => problem,
        }
    }

    /// The request took longer than it may.
    pub fn timeout() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The request took too long; retry later")
            .header(header::RETRY_AFTER, RETRY_SECONDS.into())
    }

    /// More is asked than can be done.
    pub fn overloaded() -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "There is too much to do just now; retry later");
        let mut problem = problem.header(header::RETRY_AFTER, HeaderValue::from_static("1"));
        problem.0.code = "OVERLOADED";
        problem
    }

    /// A refusal for want of a permission, which it names as RFC 6750 does.
    pub fn challenge(error: Error, permission: &str) -> Self {
        let challenge = match &error {
            Error::Unauthenticated => format!("Bearer scope=\"{permission}\""),
            Error::Forbidden(_) => format!("Bearer error=\"insufficient_scope\", scope=\"{permission}\""),
            _ => return error.into(),
        };
        let mut problem = Self::from(error);
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            problem.0.headers.retain(|(name, _)| *name != header::WWW_AUTHENTICATE);
            problem.0.headers.push((header::WWW_AUTHENTICATE, challenge));
        }
        problem
    }

    /// The caller's version is not the present one (ruling R16).
    pub fn precondition_failed(what: &str) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, format!("{what} was modified by another user"))
    }

    /// An error of the framework, told in our format.
    pub fn of_framework(status: StatusCode, error: Option<&actix_web::Error>) -> Self {
        let message = match error {
            Some(error) if status.is_client_error() => error.to_string(),
            _ if status.is_client_error() => status.canonical_reason().unwrap_or("Bad request").to_owned(),
            _ => generic(status).to_owned(),
        };
        let mut problem = Self::new(status, message);
        if let Some(error) = error
            && status.is_server_error()
        {
            problem.0.cause = Some(Error::internal(error.to_string()));
        }
        problem
    }

    /// What is kept of it under an idempotency key: what happened, without what belongs to one request.
    pub fn kept(&self) -> Reply {
        let body = json!({ "message": self.0.message, "details": self.0.details });
        Reply { status: self.0.status.as_u16(), headers: Vec::new(), body: body.to_string().into_bytes() }
    }

    /// The problem of a kept answer; `None` when the answer was none.
    pub fn replayed(reply: &Reply) -> Option<Self> {
        #[derive(Deserialize)]
        struct Kept {
            message: String,
            details: Map<String, Value>,
        }
        let status = StatusCode::from_u16(reply.status).ok().filter(StatusCode::is_client_error)?;
        let kept: Kept = serde_json::from_slice(&reply.body).ok()?;
        let mut problem = Self::new(status, kept.message);
        problem.0.details = kept.details;
        Some(problem)
    }

    /// Adds a detail.
    #[must_use]
    pub fn detail(mut self, name: &str, value: Value) -> Self {
        self.0.details.insert(name.to_owned(), value);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The same, with words of its own for the whole of it.
    #[must_use]
    pub fn headed(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The code of API-08 it is told by.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What is told of it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What is told of it besides, such as the rules that were broken.
    pub fn details(&self) -> &Map<String, Value> {
        &self.0.details
    }

    /// What caused it, for the log and for nobody else; empty when it is no fault of ours.
    pub fn cause(&self) -> String {
        self.0.cause.as_ref().map(chain).unwrap_or_default()
    }

    /// As the body of an answer.
    pub fn body(&self, request_id: &str) -> Vec<u8> {
        let error = ErrorBody {
            error: ErrorDetail { code: self.0.code, message: &self.0.message, details: &self.0.details, request_id },
        };
        serde_json::to_vec(&error).unwrap_or_default()
    }

    /// As the body of an answer in the form of RFC 9457.
    pub fn problem_json(&self, request_id: &str) -> Vec<u8> {
        let problem = json!({
            "type": "about:blank",
            "title": self.0.status.canonical_reason().unwrap_or("Error"),
            "status": self.0.status.as_u16(),
            "detail": self.0.message,
            "code": self.0.code,
            "details": self.0.details,
            "requestId": request_id,
        });
        serde_json::to_vec(&problem).unwrap_or_default()
    }
}

/// The code of API-08 that belongs to a status.
fn code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        405 => "METHOD_NOT_ALLOWED",
        406 => "NOT_ACCEPTABLE",
        408 => "REQUEST_TIMEOUT",
        409 => "CONFLICT",
        412 => "PRECONDITION_FAILED",
        413 => "PAYLOAD_TOO_LARGE",
        415 => "UNSUPPORTED_MEDIA_TYPE",
        422 => "UNPROCESSABLE",
        428 => "PRECONDITION_REQUIRED",
        429 => "RATE_LIMITED",
        503 => "UNAVAILABLE",
        507 => "INSUFFICIENT_STORAGE",
        400..=499 => "VALIDATION_ERROR",
        _ => "INTERNAL_ERROR",
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorDetail<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorDetail<'a> {
    code: &'static str,
    message: &'a str,
    details: &'a Map<String, Value>,
    request_id: &'a str,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::NotFound(_) => StatusCode::NOT_FOUND,
            Error::Conflict(_) | Error::InFlight | Error::Stale(_) => StatusCode::CONFLICT,
            Error::Invalid(violations) => return Self::invalid(In::Body, violations),
            Error::Unauthenticated | Error::BadCredentials | Error::BadCode | Error::NotProven(_) => {
                StatusCode::UNAUTHORIZED
            }
            Error::Forbidden(_) | Error::NotFresh(_) => StatusCode::FORBIDDEN,
            Error::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
            Error::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Error::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
            Error::Unavailable { .. } | Error::Transient(_) => StatusCode::SERVICE_UNAVAILABLE,
            Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let message = if status.is_server_error() { generic(status).to_owned() } else { error.to_string() };
        let mut problem = Self::new(status, message);
        match &error {
            Error::NotFresh(methods) => {
                let reason = "fresh_authentication_required".into();
                problem = problem.detail("reason", reason).detail("methods", methods.clone().into());
            }
            Error::Unauthenticated | Error::BadCredentials | Error::BadCode | Error::NotProven(_) => {
                problem = problem.header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Error::Limited(wait) => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                problem = problem.header(header::RETRY_AFTER, seconds.max(1).into());
            }
            Error::Unavailable { .. } | Error::Transient(_) => {
                problem = problem.header(header::RETRY_AFTER, RETRY_SECONDS.into());
            }
            Error::InFlight => problem = problem.header(header::RETRY_AFTER, HeaderValue::from_static("1")),
            _ => {}
        }
        if status.is_server_error() {
            problem.0.cause = Some(error);
        }
        problem
    }
}

/// What a client is told of a fault of ours: nothing that happened inside.
fn generic(status: StatusCode) -> &'static str {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => "Temporarily unavailable; retry later",
        StatusCode::INSUFFICIENT_STORAGE => "There is no room left for files; ask who runs this shop for more",
        _ => "Internal error",
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::new(self.0.status);
        for (name, value) in &self.0.headers {
            response.headers_mut().append(name.clone(), value.clone());
        }
        response
    }
}

/// The messages of an error and of all that caused it.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = source(error);
    while let Some(cause) = next {
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

/// The cause of a domain error, which its `Display` never prints.
fn source(error: &Error) -> Option<&(dyn std::error::Error + 'static)> {
    match error {
        Error::Unavailable { source, .. }
        | Error::Transient(source)
        | Error::Full(source)
        | Error::Internal(source) => {
            let source: &(dyn std::error::Error + 'static) = source.as_ref();
            Some(source)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_a_fault_is_logged_and_never_told() {
        let error = Error::internal(std::io::Error::other("password of the database is wrong"));
        assert!(chain(&error).contains("password of the database"));
        let problem = Problem::from(error);
        assert_eq!((problem.0.status.as_u16(), problem.0.code), (500, "INTERNAL_ERROR"));
        assert!(!String::from_utf8(problem.body("r")).unwrap().contains("password"));
    }

    #[test]
    fn codes_are_those_of_the_contract() {
        for (status, expected) in [
            (400, "VALIDATION_ERROR"),
            (401, "UNAUTHORIZED"),
            (403, "FORBIDDEN"),
            (404, "NOT_FOUND"),
            (409, "CONFLICT"),
            (429, "RATE_LIMITED"),
            (500, "INTERNAL_ERROR"),
        ] {
            assert_eq!(code(StatusCode::from_u16(status).unwrap()), expected);
        }
    }
}
