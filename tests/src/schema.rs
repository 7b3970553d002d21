//! Compares JSON with the schemas of a document, strictly: a field that no schema names is a fault too.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

/// Words that say nothing about what fits.
const SILENT: [&str; 5] = ["description", "title", "examples", "example", "default"];

/// What is wrong with a value, by the schema at this place of a document (such as `/components/schemas/Product`).
pub fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(document, schema, value, "", &mut faults);
    faults
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    plain(document, schema, value, at, faults);
    if let (Value::Object(fields), Some(named)) = (value, named(document, schema)) {
        for field in fields.keys().filter(|field| !named.contains(field.as_str())) {
            faults.push(format!("{at}/{field}: no schema names it"));
        }
    }
}

/// Everything but fields that are not named: of several schemas for one value none names all.
fn plain(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let mut wrong = |what: String| faults.push(format!("{at}: {what}"));
    let map = schema.as_object().unwrap_or_else(|| panic!("{at}: not a schema: {schema}"));
    for (word, said) in map {
        match word.as_str() {
            "type" if !types(said).iter().any(|kind| is(kind, value)) => wrong(format!("{value} is no {said}")),
            "enum" if !said.as_array().unwrap().contains(value) => wrong(format!("{value} is none of {said}")),
            "const" if said != value => wrong(format!("{value} is not {said}")),
            "minimum" if value.is_number() && value.as_f64() < said.as_f64() => {
                wrong(format!("{value} is below {said}"));
            }
            "maximum" if value.as_f64() > said.as_f64() => wrong(format!("{value} is above {said}")),
            "minLength" if value.is_string() && length(value) < said.as_u64() => {
                wrong(format!("{value} is shorter than {said}"));
            }
            "maxLength" if length(value) > said.as_u64() => wrong(format!("{value} is longer than {said}")),
            "maxItems" if value.as_array().map(Vec::len) > said.as_u64().map(|most| usize::try_from(most).unwrap()) => {
                wrong(format!("more than {said}"));
            }
            "pattern" if value.as_str().is_some_and(|text| !fits(said, text)) => {
                wrong(format!("{value} does not fit {said}"));
            }
            "format" if value.is_string() && !has_format(said.as_str().unwrap(), value.as_str().unwrap()) => {
                wrong(format!("{value} is no {said}"));
            }
            "required" if value.is_object() => {
                let missing =
                    said.as_array().unwrap().iter().filter(|name| value.get(name.as_str().unwrap()).is_none());
                missing.for_each(|name| wrong(format!("{name} is missing")));
            }
            _ => {}
        }
    }
    for (word, said) in map {
        match word.as_str() {
            "$ref" => plain(document, target(document, said), value, at, faults),
            "allOf" => said.as_array().unwrap().iter().for_each(|part| plain(document, part, value, at, faults)),
            "oneOf" | "anyOf" => {
                let tried: Vec<Vec<String>> =
                    said.as_array().unwrap().iter().map(|one| self::faults(document, one, value)).collect();
                if !tried.iter().any(Vec::is_empty) {
                    faults.push(format!("{at}: fits no form: {tried:?}"));
                }
            }
            "properties" => {
                for (name, field) in said.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check(document, field, value, &format!("{at}/{name}"), faults);
                    }
                }
            }
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, said, item, &format!("{at}/{place}"), faults);
                }
            }
            "type"
            | "enum"
            | "const"
            | "minimum"
            | "maximum"
            | "minLength"
            | "maxLength"
            | "maxItems"
            | "minItems"
            | "pattern"
            | "format"
            | "required"
            | "additionalProperties"
            | "multipleOf" => {}
            silent if SILENT.contains(&silent) || silent.starts_with("x-") => {}
            other => panic!("{at}: this checker does not know {other:?}"),
        }
    }
}

/// The fields that a schema names; `None` when it names none, so that any may be there.
fn named<'a>(document: &'a Value, schema: &'a Value) -> Option<BTreeSet<&'a str>> {
    if let Some(to) = schema.get("$ref") {
        return named(document, target(document, to));
    }
    let own = schema.get("properties").and_then(Value::as_object);
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    let parts: Vec<BTreeSet<&str>> = parts.filter_map(|part| named(document, part)).collect();
    if own.is_none() && parts.is_empty() {
        return None;
    }
    Some(own.into_iter().flat_map(|own| own.keys().map(String::as_str)).chain(parts.into_iter().flatten()).collect())
}

fn target<'a>(document: &'a Value, to: &Value) -> &'a Value {
    let place = to.as_str().unwrap().trim_start_matches('#');
    document.pointer(place).unwrap_or_else(|| panic!("{to} leads nowhere"))
}

fn types(said: &Value) -> Vec<&str> {
    match said {
        Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
        one => vec![one.as_str().unwrap()],
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type of JSON: {other}"),
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| u64::try_from(text.chars().count()).unwrap())
}

fn fits(pattern: &Value, text: &str) -> bool {
    Regex::new(pattern.as_str().unwrap()).unwrap().is_match(text)
}

fn has_format(format: &str, text: &str) -> bool {
    let pattern = match format {
        "uuid" => "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        "date-time" => r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$",
        _ => return true,
    };
    Regex::new(pattern).unwrap().is_match(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_told() {
        let document = json!({ "components": {
            "Lamp": { "type": "object", "required": ["name"], "properties": {
                "name": { "type": "string", "minLength": 2 },
                "shop": { "oneOf": [{ "$ref": "#/components/Shop" }, { "type": "null" }] },
                "since": { "type": "string", "format": "date-time" },
            } },
            "Shop": { "type": "object", "properties": { "open": { "type": "boolean" } } },
        } });
        let lamp =
            json!({ "allOf": [{ "$ref": "#/components/Lamp" }, { "properties": { "type": { "const": "lamp" } } }] });
        let faults = |value: Value| faults(&document, &lamp, &value);
        let good =
            json!({ "type": "lamp", "name": "Ada", "shop": { "open": true }, "since": "2026-01-01T12:00:00.5Z" });
        assert_eq!(faults(good), Vec::<String>::new());
        assert_eq!(faults(json!({ "type": "lamp", "name": "Ada", "shop": null })), Vec::<String>::new());
        for (field, value) in [
            ("name", json!("A")),
            ("name", json!(7)),
            ("type", json!("chair")),
            ("colour", json!("red")),
            ("shop", json!({ "open": "yes" })),
            ("shop", json!({ "closed": true })),
            ("since", json!("yesterday")),
        ] {
            let mut lamp = json!({ "type": "lamp", "name": "Ada" });
            lamp[field] = value;
            assert_eq!(faults(lamp.clone()).len(), 1, "{lamp}: {:?}", faults(lamp.clone()));
        }
        assert_eq!(faults(json!({ "type": "lamp" })).len(), 1);
    }
}
