//! One connection that clients open, as a channel with what is sent and taken on it.

use serde_json::{Map, Value, json};

use super::{
    at,
    message::{Message, in_words},
};

/// How it is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Server-sent events.
    Http,
    /// A WebSocket.
    Ws,
}

impl Protocol {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Ws => "ws",
        }
    }

    /// How a connection is opened, as the bindings of an operation.
    fn opened_with(self, query: &Value) -> Value {
        match self {
            Self::Http => json!({ "http": { "method": "GET", "query": query, "bindingVersion": "0.3.0" } }),
            // What is asked when it is opened stands with the channel.
            Self::Ws => json!({}),
        }
    }

    /// This server, in this protocol.
    pub(super) fn server(self) -> Value {
        json!({
            "host": "{host}",
            "protocol": self.name(),
            "description": "This server",
            "variables": { "host": { "default": "localhost:3000", "description": "Where Souk is reached" } },
        })
    }
}

/// A connection that clients open by an operation of the HTTP API. What that says of itself is said here too.
pub(super) struct Channel {
    /// Its name in the document.
    pub(super) name: &'static str,
    /// The path of the operation, a `GET`.
    pub(super) path: &'static str,
    /// Its name for people.
    pub(super) title: &'static str,
    /// How it is spoken.
    pub(super) protocol: Protocol,
    /// What the server sends.
    pub(super) sends: Vec<Message>,
    /// What the server takes.
    pub(super) takes: Vec<Message>,
    /// What else there is to know, as extensions (`x-..`).
    pub(super) notes: Map<String, Value>,
}

impl Channel {
    /// As the document tells it. `openapi` is the document of the HTTP API.
    pub(super) fn told(&self, openapi: &Value) -> Value {
        let operation = self.opened_by(openapi);
        let messages: Map<String, Value> =
            self.sends.iter().chain(&self.takes).map(|message| (message.key(), message.told())).collect();
        let told = [
            ("address", self.path.into()),
            ("title", self.title.into()),
            ("summary", at(operation, "/summary").clone()),
            ("description", at(operation, "/description").clone()),
            ("servers", json!([{ "$ref": format!("#/servers/{}", self.protocol.name()) }])),
            ("messages", messages.into()),
        ];
        let mut told: Map<String, Value> = told.map(|(word, value)| (word.to_owned(), value)).into_iter().collect();
        if self.protocol == Protocol::Ws {
            let bindings = json!({ "ws": { "method": "GET", "query": query(operation), "bindingVersion": "0.1.0" } });
            told.insert("bindings".to_owned(), bindings);
        }
        told.extend(self.notes.clone());
        told.into()
    }

    /// What is done on it: sending, and taking where anything is taken.
    pub(super) fn operations(&self, openapi: &Value) -> Map<String, Value> {
        let sides = [("send", &self.sends, "What the server tells"), ("receive", &self.takes, "What clients say")];
        let done = sides.into_iter().filter(|(_, messages, _)| !messages.is_empty());
        done.map(|(action, messages, summary)| {
            let channel = format!("#/channels/{}", self.name);
            let carried: Vec<_> =
                messages.iter().map(|one| json!({ "$ref": format!("{channel}/messages/{}", one.key()) })).collect();
            let told = json!({
                "action": action,
                "channel": { "$ref": channel },
                "summary": summary,
                "description": "Without credentials it is about what everybody may know",
                "security": [
                    { "$ref": "#/components/securitySchemes/bearer" },
                    { "$ref": "#/components/securitySchemes/ticket" },
                ],
                "bindings": self.protocol.opened_with(&query(self.opened_by(openapi))),
                "messages": carried,
            });
            (format!("{}.{action}", self.name), told)
        })
        .collect()
    }

    fn opened_by<'a>(&self, openapi: &'a Value) -> &'a Value {
        at(openapi, &format!("/paths/{}/get", self.path.replace('/', "~1")))
    }
}

/// The parameters of an operation in its query, as the schema of an object.
fn query(operation: &Value) -> Value {
    let parameters = at(operation, "/parameters").as_array().into_iter().flatten();
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for parameter in parameters.filter(|one| at(one, "/in") == "query") {
        let Some(name) = at(parameter, "/name").as_str() else { continue };
        let Value::Object(mut schema) = in_words(at(parameter, "/schema")) else { continue };
        schema.insert("description".to_owned(), at(parameter, "/description").clone());
        properties.insert(name.to_owned(), schema.into());
        if at(parameter, "/required") == true {
            required.push(name);
        }
    }
    json!({ "type": "object", "properties": properties, "required": required })
}
