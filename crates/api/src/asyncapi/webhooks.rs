//! Webhooks as a channel: what is sent to the addresses of endpoints, one message for each type that can be heard.

use domain::{
    shop::Rules,
    webhooks::{EventType, Form, Wording as _},
};
use serde_json::{Map, Value, json};

use super::message::Messages;
use crate::{Words, webhooks::schema};

const CHANNEL: &str = "#/channels/webhooks";

/// Whoever hears: its server.
pub(super) fn server() -> Value {
    json!({
        "host": "{host}",
        "protocol": "https",
        "description": "The receiver: the address of an endpoint",
        "variables": { "host": { "default": "example.com", "description": "Where the receiver is reached" } },
    })
}

/// The channel.
pub(super) fn channel(messages: &mut Messages, rules: &Rules) -> Value {
    let told: Map<String, Value> = kinds().map(|kind| (key(kind), message(kind, messages, rules))).collect();
    json!({
        // Each endpoint has its own.
        "address": null,
        "title": "Webhooks",
        "summary": "What is sent to the addresses of endpoints",
        "description": "Endpoints are made at `POST /api/v1/webhooks/endpoints`. Each call is signed by Standard Webhooks: `v1` is HMAC-SHA256 and \
            `v1a` Ed25519 over `{webhook-id}.{webhook-timestamp}.{body}`, one signature for each secret that is good. Any 2xx within 15 seconds \
            is a success. Whatever fails is sent again with the same id, so that a receiver sees it once or more.",
        "servers": [{ "$ref": "#/servers/webhooks" }],
        "messages": told,
    })
}

/// The operation: the server sends them.
pub(super) fn operation() -> Value {
    let messages: Vec<_> = kinds().map(|kind| json!({ "$ref": format!("{CHANNEL}/messages/{}", key(kind)) })).collect();
    json!({
        "action": "send",
        "channel": { "$ref": CHANNEL },
        "summary": "What receivers are sent",
        "description": "An endpoint hears the types that it chose, of what its owner may read",
        "bindings": { "http": { "method": "POST", "bindingVersion": "0.3.0" } },
        "messages": messages,
    })
}

/// The headers of every call.
pub(super) fn headers() -> Value {
    json!({
        "type": "object",
        "description": "The headers of a webhook.",
        "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
        "properties": {
            "webhook-id": { "type": "string", "description": "The id of the message, the same in every attempt.", "pattern": "^msg_[0-9a-f]{32}$" },
            "webhook-timestamp": { "type": "string", "description": "When this attempt was made, in seconds since 1970.", "pattern": "^[0-9]+$" },
            "webhook-signature": { "type": "string", "description": "Signatures, with spaces between them.", "pattern": "^v1a?,[^ ]+( v1a?,[^ ]+)*$" },
        },
    })
}

/// What is sent: what can be chosen, and tests.
fn kinds() -> impl Iterator<Item = EventType> {
    EventType::ALL.into_iter().chain([EventType::Test])
}

fn key(kind: EventType) -> String {
    format!("webhook.{}", kind.name())
}

fn message(kind: EventType, messages: &mut Messages, rules: &Rules) -> Value {
    let (full, thin) =
        (messages.named_part(schema::parts(kind, Form::Full)), messages.named_part(schema::parts(kind, Form::Thin)));
    let data = if full == thin { full } else { json!({ "anyOf": [full, thin] }) };
    let words = Words { currency: rules.currency };
    let example = |form| words.example(kind, form).ok().and_then(|data| serde_json::from_str::<Value>(&data).ok());
    let example = |(name, form)| {
        let payload = json!({ "type": kind.name(), "timestamp": "2026-01-02T03:04:05Z", "data": example(form) });
        json!({ "name": name, "payload": payload })
    };
    let examples = [("full", Form::Full), ("thin", Form::Thin)].map(example);
    json!({
        "name": kind.name(),
        "title": kind.name(),
        "summary": schema::description(kind),
        "contentType": "application/json",
        "headers": { "$ref": "#/components/schemas/WebhookHeaders" },
        "payload": {
            "type": "object",
            "required": ["type", "timestamp", "data"],
            "properties": {
                "type": { "const": kind.name() },
                "timestamp": { "type": "string", "format": "date-time", "description": "When it happened." },
                "data": data,
            },
        },
        "examples": examples,
    })
}
