//! Examples of bodies, put together from the examples of their fields, so that no body goes without one.

use serde_json::{Map, Value, json};

/// Makes examples of schemas that refer to each other.
#[derive(Debug)]
pub struct Examples<'a> {
    /// `components` of the document.
    components: &'a Value,
}

impl<'a> Examples<'a> {
    /// Examples of what these components describe.
    pub fn of(components: &'a Value) -> Self {
        Self { components }
    }

    /// A value that fits the schema. Optional fields that have no example of their own are left out.
    pub fn body(&self, schema: &Value) -> Value {
        self.field(schema).unwrap_or_else(|| plain(schema))
    }

    /// A value that fits the schema, when it says enough to tell one.
    fn field(&self, schema: &Value) -> Option<Value> {
        if let Some(given) = schema.get("example") {
            return Some(given.clone());
        }
        if let Some(first) = schema.get("examples").or_else(|| schema.get("enum")).and_then(|all| all.get(0)) {
            return Some(first.clone());
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next()?;
            return self.field(self.components.get("schemas")?.get(name)?);
        }
        for word in ["oneOf", "anyOf"] {
            if let Some(choices) = schema.get(word).and_then(Value::as_array) {
                return choices.iter().filter(|one| !is(one, "null")).find_map(|one| self.field(one));
            }
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let parts = parts.iter().filter_map(|part| self.field(part));
            let objects = parts.filter_map(|part| if let Value::Object(fields) = part { Some(fields) } else { None });
            return Some(Value::Object(objects.flatten().collect()));
        }
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            return Some(self.object(schema, properties));
        }
        if let Some(items) = schema.get("items") {
            return Some(json!([self.body(items)]));
        }
        match schema.get("format").and_then(Value::as_str)? {
            "uuid" => Some("0190f5fe-7c00-7a00-8000-0123456789ab".into()),
            "date-time" => Some("2026-11-21T09:30:00Z".into()),
            _ => None,
        }
    }

    fn object(&self, schema: &Value, properties: &Map<String, Value>) -> Value {
        let required = schema.get("required").and_then(Value::as_array);
        let mut object = Map::new();
        for (name, property) in properties {
            let needed = required.is_some_and(|names| names.iter().any(|one| one == name));
            let value = match self.field(property) {
                None if needed => Some(plain(property)),
                told => told,
            };
            object.extend(value.map(|value| (name.clone(), value)));
        }
        object.into()
    }
}

fn is(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(|one| one == name),
        Some(one) => one == name,
        None => false,
    }
}

/// The plainest value of a type.
fn plain(schema: &Value) -> Value {
    if is(schema, "null") {
        Value::Null
    } else if is(schema, "boolean") {
        false.into()
    } else if is(schema, "integer") || is(schema, "number") {
        schema.get("minimum").cloned().unwrap_or_else(|| 1.into())
    } else if is(schema, "string") {
        "text".into()
    } else {
        json!({})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_put_together_from_its_fields() {
        let components = json!({ "schemas": {
            "Core": { "type": "object", "required": ["id", "alt"], "properties": {
                "id": { "type": "string", "format": "uuid" },
                "alt": { "type": ["string", "null"] },
                "note": { "type": "string" },
            } },
            "Whole": { "allOf": [{ "$ref": "#/components/schemas/Core" }, { "type": "object", "properties": {
                "tags": { "type": "array", "items": { "type": "string", "example": "a" } },
                "state": { "oneOf": [{ "type": "null" }, { "enum": ["open", "shut"] }] },
            } }] },
        } });
        let whole = Examples::of(&components).body(&json!({ "$ref": "#/components/schemas/Whole" }));
        let expected = json!({
            "id": "0190f5fe-7c00-7a00-8000-0123456789ab", "alt": null, "tags": ["a"], "state": "open"
        });
        assert_eq!(whole, expected);
    }
}
