//! What the extractors of a handler mean for its document: each brings its parameter and the answers it can cause.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::{
    IntoParams, IntoResponses,
    openapi::{
        RefOr, Required, Response,
        path::{Parameter, ParameterIn},
    },
};

use crate::{
    etag::{IfMatch, IfNoneMatch},
    idempotency::Keyed,
    path::{Id, MessageId, Named},
};

type Responses = BTreeMap<String, RefOr<Response>>;

/// `*`, or entity tags with commas between them. Commas too many are skipped, as RFC 9110 asks of readers of lists; nothing at all fits
/// no version.
const ENTITY_TAGS: &str = r#"^(\*|[ \t,]*((W/)?"[!#-~]*"([ \t]*,[ \t,]*(W/)?"[!#-~]*")*[ \t,]*)?)$"#;

impl<T: Named> IntoParams for Id<T> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![id("id", format!("The {}", T::NAME))]
    }
}

impl<T> IntoParams for MessageId<T> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![id("messageId", "The message".to_owned())]
    }
}

/// The id of something, in the path.
fn id(name: &str, words: String) -> Parameter {
    let mut id = Parameter::new(name);
    id.parameter_in = ParameterIn::Path;
    id.description = Some(words);
    id.schema = serde_json::from_value(json!({ "type": "string", "format": "uuid" })).ok();
    id
}

impl IntoParams for Keyed {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let key = json!({ "type": "string", "pattern": "^[!-~]{1,255}$" });
        vec![header("Idempotency-Key", "Makes a repetition safe", key)]
    }
}

impl IntoResponses for Keyed {
    fn responses() -> Responses {
        answers([("422", "The key was used with a different request")])
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let tags = json!({ "type": "string", "pattern": ENTITY_TAGS, "example": "*" });
        let words = "The ETag of the version that was read, or `*` for any. A tag that was never given is 412";
        vec![header("If-Match", words, tags)]
    }
}

impl IntoResponses for IfMatch {
    fn responses() -> Responses {
        answers([
            ("412", "If-Match names another version than it has now"),
            ("428", "This installation demands If-Match"),
        ])
    }
}

impl IntoParams for IfNoneMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        // What is no entity tag matches nothing, and everything is sent.
        vec![header("If-None-Match", "Answers 304 when nothing changed", json!({ "type": "string" }))]
    }
}

impl IntoResponses for IfNoneMatch {
    fn responses() -> Responses {
        answers([("304", "Nothing changed")])
    }
}

/// A header is there or not: its schema takes no null.
fn header(name: &str, description: &str, schema: Value) -> Parameter {
    let mut header = Parameter::new(name);
    header.parameter_in = ParameterIn::Header;
    header.required = Required::False;
    header.description = Some(description.to_owned());
    header.schema = serde_json::from_value(schema).ok();
    header
}

fn answers<const N: usize>(told: [(&str, &str); N]) -> Responses {
    told.into_iter().map(|(status, description)| (status.to_owned(), Response::new(description).into())).collect()
}
