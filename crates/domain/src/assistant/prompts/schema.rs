//! Whether an answer keeps the schema it was asked for: not every provider sees to that.
//!
//! What a schema says of types, fields, lists, lengths and numbers is looked at; what it says in other words is left to the provider.

use serde_json::Value;

/// Where a value breaks a schema, and what it should be; nothing of the value itself.
pub(super) fn breach(schema: &Value, value: &Value) -> Option<String> {
    below(schema, value, "")
}

fn below(schema: &Value, value: &Value, at: &str) -> Option<String> {
    let told = |should: String| Some(format!("{} {should}", if at.is_empty() { "it" } else { at }));
    if let Some(types) = schema.get("type") {
        let mut names = types.as_array().map_or_else(|| vec![types], |many| many.iter().collect()).into_iter();
        if !names.any(|name| name.as_str().is_some_and(|name| is(name, value))) {
            return told(format!("must be of the type {types}"));
        }
    }
    if schema.get("enum").and_then(Value::as_array).is_some_and(|choices| !choices.contains(value))
        || schema.get("const").is_some_and(|only| only != value)
    {
        return told("must be one of the values that the schema names".to_owned());
    }
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array)
        && choices.iter().all(|choice| below(choice, value, at).is_some())
    {
        return told("must fit one of the schemas of anyOf".to_owned());
    }
    match value {
        Value::Object(fields) => {
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            for name in required.filter_map(Value::as_str) {
                if !fields.contains_key(name) {
                    return told(format!("must have the field {name}"));
                }
            }
            let known = schema.get("properties");
            for (name, field) in fields {
                match known.and_then(|known| known.get(name)) {
                    Some(schema) => {
                        if let Some(fault) = below(schema, field, &format!("{at}/{name}")) {
                            return Some(fault);
                        }
                    }
                    None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                        return told("must have no fields but those of the schema".to_owned());
                    }
                    None => {}
                }
            }
            None
        }
        Value::Array(items) => {
            if !fits(schema, "minItems", "maxItems", length(items.len())) {
                return told("must have as many items as the schema says".to_owned());
            }
            let schema = schema.get("items")?;
            items.iter().enumerate().find_map(|(index, item)| below(schema, item, &format!("{at}/{index}")))
        }
        Value::String(text) if !fits(schema, "minLength", "maxLength", length(text.chars().count())) => {
            told("must be as long as the schema says".to_owned())
        }
        Value::Number(number) if !fits(schema, "minimum", "maximum", number.as_f64()) => {
            told("must be within the bounds of the schema".to_owned())
        }
        _ => None,
    }
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        // A type that there is not is no fault of the answer.
        _ => true,
    }
}

fn length(count: usize) -> Option<f64> {
    u32::try_from(count).ok().map(f64::from)
}

fn fits(schema: &Value, least: &str, most: &str, number: Option<f64>) -> bool {
    let bound = |word: &str| schema.get(word).and_then(Value::as_f64);
    let Some(number) = number else { return true };
    bound(least).is_none_or(|least| number >= least) && bound(most).is_none_or(|most| number <= most)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_that_breaks_its_schema_is_told_where() {
        let schema = json!({
            "type": "object", "required": ["name", "tags"], "additionalProperties": false,
            "properties": {
                "name": { "type": "string", "maxLength": 5 },
                "tags": { "type": "array", "maxItems": 2, "items": { "enum": ["a", "b"] } },
                "price": { "anyOf": [{ "type": "null" }, { "type": "integer", "minimum": 1 }] },
            },
        });
        let whole = json!({ "name": "Lämpi", "tags": ["a", "b"], "price": 3.0 });
        assert_eq!(breach(&schema, &whole), None);
        for (odd, place) in [
            (json!([]), "it must be of the type \"object\""),
            (json!({ "name": "a" }), "it must have the field tags"),
            (json!({ "name": 1, "tags": [] }), "/name must be of the type"),
            (json!({ "name": "secret", "tags": [] }), "/name must be as long"),
            (json!({ "name": "a", "tags": ["a", "c"] }), "/tags/1 must be one of"),
            (json!({ "name": "a", "tags": ["a", "b", "a"] }), "/tags must have as many"),
            (json!({ "name": "a", "tags": [], "price": 0 }), "/price must fit one"),
            (json!({ "name": "a", "tags": [], "colour": 0 }), "it must have no fields but"),
        ] {
            let told = breach(&schema, &odd).unwrap();
            assert!(told.starts_with(place) && !told.contains("secret"), "{odd}: {told}");
        }
        assert_eq!(
            breach(&json!({ "$ref": "#/x", "pattern": "^a" }), &json!("b")),
            None,
            "other words are the provider's"
        );
    }
}
