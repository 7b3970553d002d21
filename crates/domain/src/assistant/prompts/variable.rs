//! The variables of a prompt: each has a type, and its values are checked before any template sees them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Breach, Violations};

/// Digits of a decimal number before and behind its point.
const DECIMAL: (usize, usize) = (18, 9);

/// What a value looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum VariableKind {
    /// A text.
    Text {
        /// Of so many characters at most.
        max_length: usize,
    },
    /// A whole number.
    Integer {
        /// No less than this.
        minimum: i64,
        /// No more than this.
        maximum: i64,
    },
    /// A decimal number in a text, so that it stays exact.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// One of these texts.
    Choice {
        /// Which.
        choices: Vec<String>,
    },
    /// A list of texts.
    Texts {
        /// So many at most.
        max_items: usize,
        /// Each of so many characters at most.
        max_length: usize,
    },
}

impl VariableKind {
    /// The rule that a value breaks, and what it should be.
    pub(super) fn breach(&self, value: &Value) -> Option<Breach> {
        match self {
            Self::Text { max_length } => match value.as_str() {
                Some(text) => text_breach(text, *max_length),
                None => Some(Breach::new("string", "must be a string")),
            },
            Self::Integer { minimum, maximum } => match value.as_i64() {
                Some(number) if (*minimum..=*maximum).contains(&number) => None,
                _ => Some(Breach::new("range", format!("must be a whole number from {minimum} to {maximum}"))),
            },
            Self::Decimal => match value.as_str() {
                Some(text) if is_decimal(text) => None,
                _ => Some(Breach::new("number", "must be a decimal number in a string, such as \"-19.95\"")),
            },
            Self::Boolean if value.is_boolean() => None,
            Self::Boolean => Some(Breach::new("boolean", "must be true or false")),
            Self::Choice { choices } => match value.as_str() {
                Some(text) if choices.iter().any(|choice| choice == text) => None,
                _ => Some(Breach::new("enum", format!("must be one of {}", choices.join(", ")))),
            },
            Self::Texts { max_items, max_length } => {
                let Some(items) = value.as_array() else {
                    return Some(Breach::new("array", "must be an array of strings"));
                };
                if items.len() > *max_items {
                    return Some(Breach::new("max_items", format!("must have at most {max_items} items")));
                }
                items.iter().find_map(|item| match item.as_str() {
                    Some(text) => text_breach(text, *max_length),
                    None => Some(Breach::new("array", "must be an array of strings")),
                })
            }
        }
    }
}

fn text_breach(text: &str, most: usize) -> Option<Breach> {
    if text.contains('\0') {
        return Some(Breach::new("control_character", "must not contain the character U+0000"));
    }
    let length = text.chars().count();
    (length > most).then(|| Breach::new("max_length", format!("must have at most {most} characters, has {length}")))
}

fn is_decimal(text: &str) -> bool {
    let digits = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let number = text.strip_prefix('-').unwrap_or(text);
    match number.split_once('.') {
        Some((whole, fraction)) => digits(whole, DECIMAL.0) && digits(fraction, DECIMAL.1),
        None => digits(number, DECIMAL.0),
    }
}

/// A variable that templates may name. One without a default must be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// What its values look like.
    #[serde(flatten)]
    pub kind: VariableKind,
    /// The value where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

/// The values that templates see: what was given and fits, and the defaults of the rest. Faults are told below `/variables`.
pub(super) fn values(
    variables: &[Variable],
    given: &Map<String, Value>,
    violations: &mut Violations,
) -> Map<String, Value> {
    let mut values = Map::new();
    for variable in variables {
        let field = format!("/variables/{}", variable.name);
        // Null is as good as nothing.
        let value = given.get(&variable.name).filter(|value| !value.is_null());
        match (value, &variable.default) {
            (Some(value), _) => match variable.kind.breach(value) {
                None => _ = values.insert(variable.name.clone(), value.clone()),
                Some(Breach { rule, message }) => violations.add(field, rule, message),
            },
            (None, Some(default)) => _ = values.insert(variable.name.clone(), default.clone()),
            (None, None) => violations.add(field, "required", "is required"),
        }
    }
    for name in given.keys().filter(|name| !variables.iter().any(|variable| variable.name == **name)) {
        let pointer = name.replace('~', "~0").replace('/', "~1");
        violations.add(format!("/variables/{pointer}"), "unknown", "is no variable of this prompt");
    }
    values
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variable(name: &str, kind: VariableKind, default: Option<Value>) -> Variable {
        Variable { name: name.to_owned(), description: String::new(), kind, default }
    }

    fn all() -> Vec<Variable> {
        vec![
            variable("title", VariableKind::Text { max_length: 5 }, None),
            variable("count", VariableKind::Integer { minimum: -1, maximum: 3 }, Some(json!(2))),
            variable("price", VariableKind::Decimal, Some(json!("1.50"))),
            variable("loud", VariableKind::Boolean, Some(json!(false))),
            variable("tone", VariableKind::Choice { choices: vec!["dry".to_owned(), "warm".to_owned()] }, None),
            variable("notes", VariableKind::Texts { max_items: 2, max_length: 3 }, Some(json!([]))),
        ]
    }

    fn read(given: &Value) -> Result<Map<String, Value>, Vec<(String, &'static str)>> {
        let mut violations = Violations::default();
        let values = values(&all(), given.as_object().unwrap(), &mut violations);
        if violations.is_empty() {
            return Ok(values);
        }
        Err(violations.iter().map(|one| (one.field.clone(), one.rule)).collect())
    }

    #[test]
    fn what_is_not_given_has_its_default() {
        let values = read(&json!({ "title": "日本語のé", "tone": "dry", "price": "-0.1", "count": null })).unwrap();
        let expected =
            json!({ "title": "日本語のé", "tone": "dry", "price": "-0.1", "count": 2, "loud": false, "notes": [] });
        assert_eq!(Value::Object(values), expected);
    }

    #[test]
    fn every_fault_names_its_variable_and_its_rule() {
        let odd = json!({
            "title": "sixsix", "count": 4, "price": 1.5, "loud": "true", "tone": "loud", "notes": ["a", "b", "c"], "x/y": 1,
        });
        let expected = [
            ("/variables/title", "max_length"),
            ("/variables/count", "range"),
            ("/variables/price", "number"),
            ("/variables/loud", "boolean"),
            ("/variables/tone", "enum"),
            ("/variables/notes", "max_items"),
            ("/variables/x~1y", "unknown"),
        ];
        assert_eq!(read(&odd), Err(expected.map(|(field, rule)| (field.to_owned(), rule)).to_vec()));
        let missing = [("/variables/title", "required"), ("/variables/tone", "required")];
        assert_eq!(read(&json!({})), Err(missing.map(|(field, rule)| (field.to_owned(), rule)).to_vec()));
        for odd in [json!({ "title": "a\0", "tone": "dry" }), json!({ "title": "a", "tone": "dry", "notes": ["long"] })]
        {
            assert_eq!(read(&odd).unwrap_err().len(), 1, "{odd}");
        }
        for number in ["", "-", "1.", ".5", "1e3", "+1", "1,5", "--1", "1.0000000000"] {
            assert!(!is_decimal(number), "{number}");
        }
    }

    #[test]
    fn a_variable_reads_back_as_it_was_written() {
        for one in all() {
            let text = serde_json::to_string(&one).unwrap();
            assert_eq!(serde_json::from_str::<Variable>(&text).unwrap(), one, "{text}");
        }
    }
}
