//! The changes of endpoints, told once for events and audit. Addresses and secrets stay out of both: an address may hold a secret.

use serde_json::{Value, json};

use super::{Endpoint, Off, Owner};
use crate::{
    event::{Change, Entity},
    id::WebhookMessageId,
};

fn endpoint(action: &'static str, event: &'static str, one: &Endpoint, more: &Value, metadata: Value) -> Change {
    let mut payload = json!({ "endpointId": one.id, "owner": one.owner.kind() });
    if let Value::Object(map) = &mut payload {
        match one.owner {
            Owner::Person(user) => map.insert("userId".to_owned(), json!(user)),
            Owner::Seller(seller) => map.insert("sellerId".to_owned(), json!(seller)),
            Owner::Shop => None,
        };
        map.extend(more.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    }
    Change { action, event, entity: Entity::new("webhook_endpoint", one.id), payload, metadata }
}

pub(super) fn created(new: &Endpoint) -> Change {
    let types: Vec<_> = new.types.iter().map(|kind| kind.name()).collect();
    endpoint("webhook_endpoint.create", "webhook_endpoint.created", new, &json!({}), json!({ "types": types }))
}

pub(super) fn updated(before: &Endpoint, after: &Endpoint) -> Change {
    let fields = [
        ("url", before.url != after.url),
        ("description", before.description != after.description),
        ("eventTypes", before.types != after.types),
        ("filter", before.filter != after.filter),
        ("payload", before.form != after.form),
        ("ordering", before.order != after.order),
        ("callsPerMinute", before.per_minute != after.per_minute),
        ("enabled", before.is_on() != after.is_on()),
    ];
    let changed: Vec<_> = fields.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
    let metadata = json!({ "changed": changed, "enabled": after.is_on() });
    endpoint("webhook_endpoint.update", "webhook_endpoint.updated", after, &json!({}), metadata)
}

pub(super) fn deleted(gone: &Endpoint) -> Change {
    endpoint("webhook_endpoint.delete", "webhook_endpoint.deleted", gone, &json!({}), json!({}))
}

pub(super) fn disabled(one: &Endpoint, why: Off, given_up: u64) -> Change {
    let more = json!({ "reason": why, "failingSince": one.failing_since });
    endpoint("webhook_endpoint.disable", "webhook_endpoint.disabled", one, &more, json!({ "messages": given_up }))
}

pub(super) fn secret_rotated(one: &Endpoint, number: u32) -> Change {
    let metadata = json!({ "number": number });
    endpoint("webhook_endpoint.rotate_secret", "webhook_endpoint.secret_rotated", one, &json!({}), metadata)
}

pub(super) fn tested(one: &Endpoint, message: WebhookMessageId) -> Change {
    let metadata = json!({ "messageId": message });
    endpoint("webhook_endpoint.test", "webhook_endpoint.tested", one, &json!({}), metadata)
}

pub(super) fn resent(one: &Endpoint, message: WebhookMessageId) -> Change {
    let metadata = json!({ "messageId": message });
    endpoint("webhook_endpoint.resend", "webhook_endpoint.resent", one, &json!({}), metadata)
}

pub(super) fn recovered(one: &Endpoint, messages: u64) -> Change {
    let metadata = json!({ "messages": messages });
    endpoint("webhook_endpoint.recover", "webhook_endpoint.recovered", one, &json!({}), metadata)
}
