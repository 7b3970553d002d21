//! The document of 3.1 in the words of 3.0.3.

use serde_json::{Map, Value, json};

/// The same document for generators that read 3.0 only.
pub fn to_30(mut document: Value) -> Value {
    if let Value::Object(root) = &mut document {
        root.insert("openapi".to_owned(), "3.0.3".into());
        root.remove("webhooks");
        root.remove("jsonSchemaDialect");
        if let Some(Value::Object(license)) = root.get_mut("info").and_then(|info| info.get_mut("license")) {
            license.remove("identifier");
        }
    }
    convert(&mut document);
    let schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
    name_types(&mut document, &schemas);
    document
}

/// `nullable` counts beside a `type` only, so that one beside a reference is given the type of what is referred to.
fn name_types(value: &mut Value, schemas: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| name_types(item, schemas)),
        Value::Object(map) => {
            map.values_mut().for_each(|value| name_types(value, schemas));
            let reference = map.get("allOf").and_then(|parts| parts.pointer("/0/$ref")).and_then(Value::as_str);
            let name = reference.and_then(|reference| reference.rsplit('/').next());
            let kind = name.and_then(|name| schemas.get(name)?.get("type")).cloned();
            if let Some(kind) = kind.filter(|_| map.contains_key("nullable") && !map.contains_key("type")) {
                map.insert("type".to_owned(), kind);
            }
        }
        _ => {}
    }
}

fn convert(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(convert),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                // Examples and defaults are data, not schemas.
                if !matches!(key.as_str(), "example" | "default" | "enum") {
                    convert(value);
                }
            }
            rewrite(map);
        }
        _ => {}
    }
}

fn rewrite(map: &mut Map<String, Value>) {
    types(map);
    null_alternative(map);
    if let Some(Value::Array(examples)) = map.get("examples")
        && let Some(first) = examples.first().cloned()
    {
        map.remove("examples");
        map.insert("example".to_owned(), first);
    }
    for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if let Some(number) = map.get(exclusive).filter(|value| value.is_number()).cloned() {
            map.insert(bound.to_owned(), number);
            map.insert(exclusive.to_owned(), true.into());
        }
    }
    if let Some(only) = map.remove("const") {
        map.insert("enum".to_owned(), json!([only]));
    }
    if map.contains_key("$ref") && map.len() > 1 {
        // Words beside a reference are ignored in 3.0; put them around it.
        if let Some(reference) = map.remove("$ref") {
            map.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
        }
    }
    for word in ["propertyNames", "contentMediaType", "contentEncoding", "$schema"] {
        map.remove(word);
    }
    if let Some(Value::Array(security)) = map.get_mut("security") {
        for requirement in security.iter_mut().filter_map(Value::as_object_mut) {
            // Scopes belong to OAuth2 in 3.0; a bearer token lists none.
            requirement.values_mut().for_each(|scopes| *scopes = json!([]));
        }
    }
}

/// `type: [string, null]` becomes `type: string, nullable: true`.
fn types(map: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = map.get("type") else { return };
    let others: Vec<Value> = types.iter().filter(|one| *one != "null").cloned().collect();
    let nullable = others.len() < types.len();
    if let [one] = others.as_slice() {
        map.insert("type".to_owned(), one.clone());
    } else {
        map.remove("type");
        let choices: Vec<Value> = others.iter().map(|one| json!({ "type": one })).collect();
        if !choices.is_empty() {
            map.insert("anyOf".to_owned(), choices.into());
        }
    }
    if nullable {
        map.insert("nullable".to_owned(), true.into());
    }
}

/// `oneOf: [{type: null}, X]` becomes `X` with `nullable: true`; of several others one takes the null.
fn null_alternative(map: &mut Map<String, Value>) {
    for word in ["oneOf", "anyOf"] {
        let Some(Value::Array(choices)) = map.get(word) else { continue };
        let mut others: Vec<Value> =
            choices.iter().filter(|one| one.get("type") != Some(&"null".into())).cloned().collect();
        if others.len() == choices.len() {
            continue;
        }
        map.remove(word);
        if others.len() > 1 {
            take_null(&mut others);
            map.insert(word.to_owned(), others.into());
            continue;
        }
        map.insert("nullable".to_owned(), true.into());
        match others.as_slice() {
            // Words beside a reference were put around it before.
            [Value::Object(one)] if !one.contains_key("$ref") => map.extend(one.clone()),
            _ => _ = map.insert("allOf".to_owned(), others.into()),
        }
    }
}

/// Lets the first choice that has a type be null; references have none beside them.
fn take_null(choices: &mut Vec<Value>) {
    let typed = choices.iter_mut().filter_map(Value::as_object_mut).find(|one| one.contains_key("type"));
    match typed {
        Some(one) => _ = one.insert("nullable".to_owned(), true.into()),
        None => choices.push(json!({ "type": "object", "nullable": true, "enum": [null] })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_31_become_words_of_30() {
        let schema = json!({
            "a": { "type": ["string", "null"], "examples": ["x"] },
            "b": { "oneOf": [{ "type": "null" }, { "$ref": "#/c" }] },
            "c": { "type": "number", "exclusiveMinimum": 0 },
            "d": { "const": "only" },
            "e": { "$ref": "#/c", "description": "beside" },
            "f": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/G", "description": "beside" }] },
            "g": { "anyOf": [{ "type": "null" }, { "$ref": "#/c" }, { "type": "string" }] },
            "h": { "oneOf": [{ "$ref": "#/c" }, { "type": "null" }, { "$ref": "#/d" }] },
            "components": { "schemas": { "G": { "type": "string" } } },
        });
        let expected = json!({
            "openapi": "3.0.3",
            "a": { "type": "string", "nullable": true, "example": "x" },
            "b": { "nullable": true, "allOf": [{ "$ref": "#/c" }] },
            "c": { "type": "number", "minimum": 0, "exclusiveMinimum": true },
            "d": { "enum": ["only"] },
            "e": { "description": "beside", "allOf": [{ "$ref": "#/c" }] },
            "f": {
                "type": "string",
                "nullable": true,
                "description": "beside",
                "allOf": [{ "$ref": "#/components/schemas/G" }],
            },
            "g": { "anyOf": [{ "$ref": "#/c" }, { "type": "string", "nullable": true }] },
            "h": {
                "oneOf": [{ "$ref": "#/c" }, { "$ref": "#/d" }, { "type": "object", "nullable": true, "enum": [null] }],
            },
            "components": { "schemas": { "G": { "type": "string" } } },
        });
        assert_eq!(to_30(schema), expected);
    }

    #[test]
    fn nothing_of_31_is_left_in_the_whole_document() {
        fn walk(value: &Value) {
            match value {
                Value::Array(items) => items.iter().for_each(walk),
                Value::Object(map) => {
                    assert!(!map.get("type").is_some_and(Value::is_array), "{map:?}");
                    assert!(!map.get("type").is_some_and(|one| one == "null"), "{map:?}");
                    assert!(!map.get("exclusiveMinimum").is_some_and(Value::is_number), "{map:?}");
                    assert!(!map.contains_key("const"), "{map:?}");
                    assert!(!map.contains_key("propertyNames"), "{map:?}");
                    assert!(!map.contains_key("nullable") || map.contains_key("type"), "{map:?}");
                    map.values().for_each(walk);
                }
                _ => {}
            }
        }
        walk(&crate::openapi30(&domain::shop::Rules::default()));
    }
}
