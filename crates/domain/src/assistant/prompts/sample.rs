//! Values to try a template with before anybody depends on it.

use serde_json::{Map, Value, json};

use super::{Variable, VariableKind};

/// A value for each variable: its default, or one that fits.
pub(super) fn sample(variables: &[Variable]) -> Map<String, Value> {
    let value = |variable: &Variable| match (&variable.default, &variable.kind) {
        (Some(default), _) => default.clone(),
        (None, VariableKind::Text { max_length }) => "sample".chars().take(*max_length).collect::<String>().into(),
        (None, VariableKind::Integer { minimum, maximum }) => json!(1.clamp(*minimum, *maximum)),
        (None, VariableKind::Decimal) => json!("1.50"),
        (None, VariableKind::Boolean) => json!(true),
        (None, VariableKind::Choice { choices }) => json!(choices.first()),
        (None, VariableKind::Texts { max_length, .. }) => json!(["a".repeat(1.min(*max_length))]),
    };
    variables.iter().map(|variable| (variable.name.clone(), value(variable))).collect()
}
