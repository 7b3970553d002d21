//! The document of what is pushed (`AsyncAPI` 3.0): each connection one can open, and the messages it carries, collected
//! from the types that are sent.

mod channel;
mod message;
mod webhooks;

use domain::shop::Rules;
use serde_json::{Map, Value, json};

use self::{
    channel::{Channel, Protocol},
    message::Messages,
};
use crate::{
    socket::{Incoming, SocketMessage, closings},
    stream::StreamMessage,
};

/// The document, for a shop with these rules.
pub fn asyncapi(rules: &Rules) -> Value {
    let openapi = serde_json::to_value(crate::openapi(rules)).unwrap_or_default();
    let mut messages = Messages::default();
    let events = Channel {
        name: "events",
        path: "/api/v1/events",
        title: "Live streams",
        protocol: Protocol::Http,
        sends: messages.of::<StreamMessage<'static>>("event"),
        takes: Vec::new(),
        notes: Map::new(),
    };
    let closings =
        closings().map(|(code, reason, again)| json!({ "code": code, "reason": reason, "reconnect": again }));
    let socket = Channel {
        name: "socket",
        path: "/api/v1/ws",
        title: "WebSocket",
        protocol: Protocol::Ws,
        sends: messages.of::<SocketMessage<'static>>("told"),
        takes: messages.of::<Incoming>("asked"),
        notes: Map::from_iter([("x-close-codes".to_owned(), closings.collect())]),
    };
    let opened = [events, socket];
    let (mut servers, mut channels, mut operations) = (Map::new(), Map::new(), Map::new());
    for channel in &opened {
        servers.insert(channel.protocol.name().to_owned(), channel.protocol.server());
        channels.insert(channel.name.to_owned(), channel.told(&openapi));
        operations.extend(channel.operations(&openapi));
    }
    servers.insert("webhooks".to_owned(), webhooks::server());
    channels.insert("webhooks".to_owned(), webhooks::channel(&mut messages, rules));
    operations.insert("webhooks.send".to_owned(), webhooks::operation());
    let mut schemas = messages.schemas(rules);
    schemas.insert("WebhookHeaders".to_owned(), webhooks::headers());
    // Named by parameters only.
    schemas.insert("TopicName".to_owned(), message::in_words(at(&openapi, "/components/schemas/TopicName")));
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": at(&openapi, "/info/title"),
            "version": at(&openapi, "/info/version"),
            "description": "What is pushed to those who listen. The HTTP API has a document of its own, /api-docs/openapi.json.",
            "license": { "name": at(&openapi, "/info/license/name") },
            "contact": at(&openapi, "/info/contact"),
        },
        "defaultContentType": "application/json",
        "servers": servers,
        "channels": channels,
        "operations": operations,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": at(&openapi, "/components/securitySchemes/bearer"),
                "ticket": {
                    "type": "httpApiKey", "in": "query", "name": "ticket",
                    "description": "A ticket of `POST /api/v1/events/tickets`, good once and for 30 seconds",
                },
            },
        },
    })
}

/// What stands at this place of a document.
fn at<'a>(document: &'a Value, place: &str) -> &'a Value {
    document.pointer(place).unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::webhooks::EventType;

    use super::*;

    /// Every reference leads somewhere.
    #[test]
    fn what_is_referred_to_is_there() {
        fn walk(value: &Value, document: &Value, found: &mut usize) {
            match value {
                Value::Array(items) => items.iter().for_each(|item| walk(item, document, found)),
                Value::Object(map) => {
                    if let Some(Value::String(to)) = map.get("$ref") {
                        assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
                        *found += 1;
                    }
                    map.values().for_each(|value| walk(value, document, found));
                }
                _ => {}
            }
        }
        let (document, mut found) = (asyncapi(&Rules::default()), 0);
        walk(&document, &document, &mut found);
        assert!(found > 10, "{found}");
    }

    /// One message for each type that endpoints can choose, and for tests, with a schema that its examples keep.
    #[test]
    fn webhooks_are_a_channel_with_a_message_for_each_type() {
        let document = asyncapi(&Rules::default());
        let messages = document["channels"]["webhooks"]["messages"].as_object().unwrap();
        let names: BTreeSet<&str> = messages.values().map(|message| message["name"].as_str().unwrap()).collect();
        let all = EventType::ALL.into_iter().chain([EventType::Test]);
        assert_eq!(names, all.map(EventType::name).collect());
        let sent = document["operations"]["webhooks.send"]["messages"].as_array().unwrap();
        assert_eq!(sent.len(), messages.len());
        let data = &messages["webhook.product.updated"]["payload"]["properties"]["data"]["anyOf"];
        assert_eq!(data[0]["$ref"], "#/components/schemas/ProductNotice");
        assert_eq!(data[1]["$ref"], "#/components/schemas/WebhookThin");
        let tested = &messages["webhook.webhook.test"];
        assert_eq!(tested["payload"]["properties"]["data"]["$ref"], "#/components/schemas/WebhookTest");
        assert_eq!(tested["examples"][0]["payload"]["data"]["success"], true);
        assert_eq!(document["components"]["schemas"]["WebhookHeaders"]["required"][2], "webhook-signature");
    }

    #[test]
    fn a_stream_sends_changes_and_signs_and_each_names_its_type() {
        let document = asyncapi(&Rules::default());
        let messages = document["channels"]["events"]["messages"].as_object().unwrap();
        let names: BTreeSet<&str> = messages.values().map(|message| message["name"].as_str().unwrap()).collect();
        let products = ["product.created", "product.updated", "product.deleted"];
        let all = [&products[..], &["model.changed", "model.deleted", "gap", "closing"]].concat();
        assert_eq!(names, all.into_iter().collect());
        assert!(document["components"]["schemas"].get("StreamMessage").is_none(), "it is split into its messages");
        let created = &messages["event.product.created"]["payload"]["allOf"];
        assert_eq!(created[0]["$ref"], "#/components/schemas/ProductNotice");
        assert_eq!(created[1]["properties"]["type"]["const"], "product.created");
    }
}
