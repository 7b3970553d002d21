//! What is pushed, held to the document that is committed.

use std::sync::LazyLock;

use serde_json::Value;

use crate::faults;

/// `asyncapi.json`.
pub static PUSHED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../asyncapi.json")).unwrap());

/// Fails when a message that came over this channel is none of those the document names for this side, such as `events` and
/// `event`.
#[track_caller]
pub fn is_documented(channel: &str, side: &str, message: &Value) {
    let key = format!("{side}.{}", message["type"].as_str().unwrap_or_default());
    let payload = &PUSHED["channels"][channel]["messages"][&key]["payload"];
    assert!(payload.is_object(), "asyncapi.json names no {key}: {message}");
    assert_eq!(faults(&PUSHED, payload, message), Vec::<String>::new(), "{message}");
}
