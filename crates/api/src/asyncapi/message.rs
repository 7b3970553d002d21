//! The messages that a type can be: one for each value its `type` can have.

use std::collections::BTreeMap;

use domain::shop::Rules;
use serde_json::{Map, Value, json};
use utoipa::{
    OpenApi as _, PartialSchema, ToSchema,
    openapi::{ComponentsBuilder, RefOr, Schema},
};

use super::at;
use crate::{openapi::forms, webhooks::schema::Parts};

const SCHEMAS: &str = "#/components/schemas/";

/// One message.
pub(super) struct Message {
    /// Who says it, such as `event`: two sides of a channel may use the same type.
    side: &'static str,
    /// Its `type`.
    name: String,
    summary: Value,
    payload: Value,
}

impl Message {
    /// Its name in its channel.
    pub(super) fn key(&self) -> String {
        format!("{}.{}", self.side, self.name)
    }

    /// As the document tells it.
    pub(super) fn told(&self) -> Value {
        let mut told = json!({ "name": self.name, "title": self.name, "payload": self.payload });
        if let (Value::Object(told), Value::String(_)) = (&mut told, &self.summary) {
            told.insert("summary".to_owned(), self.summary.clone());
        }
        told
    }
}

/// Splits types into messages and gathers the schemas they stand on.
#[derive(Default)]
pub(super) struct Messages {
    known: BTreeMap<String, RefOr<Schema>>,
    split: Vec<String>,
}

impl Messages {
    /// The messages of a type: those of each of its forms, where it has several.
    pub(super) fn of<T: ToSchema>(&mut self, side: &'static str) -> Vec<Message> {
        let mut schemas = Vec::new();
        T::schemas(&mut schemas);
        self.known.extend(schemas);
        let schema = <T as PartialSchema>::schema();
        let mut messages = Vec::new();
        self.forms(side, &serde_json::to_value(schema).unwrap_or_default(), &Value::Null, &mut messages);
        messages
    }

    /// The reference to a schema that is named, with all that it stands on.
    pub(super) fn named_part(&mut self, Parts { name, schemas }: Parts) -> Value {
        self.known.extend(schemas);
        json!({ "$ref": format!("{SCHEMAS}{name}") })
    }

    /// The schemas that messages refer to, with the rules of a shop in them.
    pub(super) fn schemas(self, rules: &Rules) -> Map<String, Value> {
        #[derive(utoipa::OpenApi)]
        struct Empty;
        let schemas = self.known.into_iter().filter(|(name, _)| !self.split.contains(name));
        let mut document = Empty::openapi();
        document.components = Some(ComponentsBuilder::new().schemas_from_iter(schemas).build());
        forms::tell(&mut document, rules);
        let components = document.components.unwrap_or_default().schemas.into_iter();
        components.map(|(name, schema)| (name, in_words(&serde_json::to_value(schema).unwrap_or_default()))).collect()
    }

    fn forms(&mut self, side: &'static str, schema: &Value, said: &Value, into: &mut Vec<Message>) {
        let said = schema.get("description").unwrap_or(said);
        let named = named(schema);
        let whole = named.map_or_else(|| schema.clone(), |name| self.named(name));
        if let Some(forms) = at(&whole, "/oneOf").as_array() {
            self.split.extend(named.map(str::to_owned));
            for form in forms {
                self.forms(side, form, said, into);
            }
            return;
        }
        let types = self.types(&whole);
        let several = types.len() > 1;
        for name in types {
            let mut payload =
                in_words(&if named.is_some() { json!({ "$ref": at(schema, "/$ref") }) } else { whole.clone() });
            if several {
                payload = json!({ "allOf": [payload, { "properties": { "type": { "const": name } } }] });
            }
            into.push(Message { side, name, summary: said.clone(), payload });
        }
    }

    /// What the `type` of a message can be.
    fn types(&self, schema: &Value) -> Vec<String> {
        let parts = at(schema, "/allOf").as_array().into_iter().flatten().chain([schema]);
        for part in parts {
            let part = self.resolved(part);
            let kind = self.resolved(at(&part, "/properties/type"));
            let values = at(&kind, "/enum").as_array().into_iter().flatten().chain(kind.get("const"));
            let values: Vec<String> = values.filter_map(Value::as_str).map(str::to_owned).collect();
            if !values.is_empty() {
                return values;
            }
        }
        Vec::new()
    }

    fn resolved(&self, schema: &Value) -> Value {
        match named(schema) {
            Some(name) => self.named(name),
            None => schema.clone(),
        }
    }

    fn named(&self, name: &str) -> Value {
        self.known.get(name).map(|schema| serde_json::to_value(schema).unwrap_or_default()).unwrap_or_default()
    }
}

/// The name of the schema that one refers to.
fn named(schema: &Value) -> Option<&str> {
    at(schema, "/$ref").as_str()?.strip_prefix(SCHEMAS)
}

/// A schema in the words of draft 07, which `AsyncAPI` uses: an example is one of several.
pub(super) fn in_words(schema: &Value) -> Value {
    match schema {
        Value::Array(items) => items.iter().map(in_words).collect(),
        Value::Object(map) => {
            let words = map.iter().map(|(word, value)| match word.as_str() {
                "example" if !value.is_object() || map.contains_key("type") => ("examples".to_owned(), json!([value])),
                _ => (word.clone(), in_words(value)),
            });
            Value::Object(words.collect())
        }
        other => other.clone(),
    }
}
