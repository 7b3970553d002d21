//! What declares a variable, and what it must keep.

use serde_json::Value;

use super::{Variable, VariableKind};
use crate::{
    error::{Breach, Violations},
    text,
};

/// The most characters of a text that a variable takes.
const LENGTH_MOST: i64 = 50_000;
/// The most items of a list.
const ITEMS_MOST: i64 = 200;
/// The most choices, and the most characters of one.
const CHOICES: (usize, usize) = (100, 200);
/// Most characters of what a variable is.
const DESCRIPTION_MAX: usize = 500;
/// What templates know by these names already.
const TAKEN: [&str; 17] = [
    "loop",
    "self",
    "super",
    "caller",
    "range",
    "dict",
    "namespace",
    "true",
    "false",
    "none",
    "not",
    "and",
    "or",
    "in",
    "is",
    "if",
    "else",
];

/// What a variable takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableType {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A decimal number.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// One of several texts.
    Choice,
    /// A list of texts.
    Texts,
}

impl VariableType {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Choice => "choice",
            Self::Texts => "texts",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Text, Self::Integer, Self::Decimal, Self::Boolean, Self::Choice, Self::Texts];
        all.into_iter().find(|one| one.name() == name)
    }
}

/// What declares a variable, unchecked.
#[derive(Debug, Clone, Default)]
pub struct VariableInput {
    /// Its name.
    pub name: Option<String>,
    /// What it takes.
    pub kind: Option<VariableType>,
    /// What it is.
    pub description: Option<String>,
    /// The most characters of a text; 2000 when absent.
    pub max_length: Option<i64>,
    /// The most items of a list; 20 when absent.
    pub max_items: Option<i64>,
    /// The least whole number.
    pub minimum: Option<i64>,
    /// The largest whole number.
    pub maximum: Option<i64>,
    /// The texts to choose from.
    pub choices: Option<Vec<String>>,
    /// The value where none is given.
    pub default: Option<Value>,
}

impl VariableInput {
    /// Checks every field; breaches go to `violations`, below `at`.
    pub(super) fn check(&self, at: &str, violations: &mut Violations) -> Option<Variable> {
        let name = match &self.name {
            Some(name) => violations.check(format!("{at}/name"), variable_name(name)),
            None => violations.missing(format!("{at}/name")),
        };
        let given = self.description.as_deref().unwrap_or_default();
        let description = violations.check(format!("{at}/description"), text::paragraph(given, 0, DESCRIPTION_MAX));
        let kind = match self.kind {
            Some(kind) => self.kind(kind, at, violations),
            None => violations.missing(format!("{at}/type")),
        };
        let kind = kind?;
        if let Some(Breach { rule, message }) = self.default.as_ref().and_then(|value| kind.breach(value)) {
            violations.add(format!("{at}/default"), rule, message);
        }
        Some(Variable { name: name?, description: description?, kind, default: self.default.clone() })
    }

    fn kind(&self, kind: VariableType, at: &str, violations: &mut Violations) -> Option<VariableKind> {
        self.foreign(kind, at, violations);
        let length = |violations: &mut Violations| {
            size(format!("{at}/maxLength"), self.max_length.unwrap_or(2_000), LENGTH_MOST, violations)
        };
        Some(match kind {
            VariableType::Text => VariableKind::Text { max_length: length(violations)? },
            VariableType::Integer => {
                let (minimum, maximum) = (self.minimum.unwrap_or(i64::MIN), self.maximum.unwrap_or(i64::MAX));
                if minimum > maximum {
                    violations.add(format!("{at}/maximum"), "range", "must be no less than minimum");
                    return None;
                }
                VariableKind::Integer { minimum, maximum }
            }
            VariableType::Decimal => VariableKind::Decimal,
            VariableType::Boolean => VariableKind::Boolean,
            VariableType::Choice => VariableKind::Choice { choices: self.chosen(at, violations)? },
            VariableType::Texts => {
                let items = size(format!("{at}/maxItems"), self.max_items.unwrap_or(20), ITEMS_MOST, violations);
                VariableKind::Texts { max_items: items?, max_length: length(violations)? }
            }
        })
    }

    /// Notes what is said of another type than this.
    fn foreign(&self, kind: VariableType, at: &str, violations: &mut Violations) {
        use VariableType::{Choice, Integer, Text, Texts};
        for (name, is_given, of) in [
            ("maxLength", self.max_length.is_some(), &[Text, Texts][..]),
            ("maxItems", self.max_items.is_some(), &[Texts]),
            ("minimum", self.minimum.is_some(), &[Integer]),
            ("maximum", self.maximum.is_some(), &[Integer]),
            ("choices", self.choices.is_some(), &[Choice]),
        ] {
            if is_given && !of.contains(&kind) {
                violations.add(format!("{at}/{name}"), "consistent", format!("is not for the type {}", kind.name()));
            }
        }
    }

    fn chosen(&self, at: &str, violations: &mut Violations) -> Option<Vec<String>> {
        let field = format!("{at}/choices");
        let Some(choices) = &self.choices else { return violations.missing(field) };
        if choices.is_empty() || choices.len() > CHOICES.0 {
            violations.add(field, "max_items", format!("must have 1 to {} items", CHOICES.0));
            return None;
        }
        for (index, choice) in choices.iter().enumerate() {
            violations.check(format!("{field}/{index}"), text::line(choice, 1, CHOICES.1));
        }
        Some(choices.clone())
    }
}

fn size(field: String, given: i64, most: i64, violations: &mut Violations) -> Option<usize> {
    let fits = Some(given).filter(|given| (1..=most).contains(given)).and_then(|given| usize::try_from(given).ok());
    if fits.is_none() {
        violations.add(field, "range", format!("must be a whole number from 1 to {most}"));
    }
    fits
}

fn variable_name(name: &str) -> Result<String, Breach> {
    if TAKEN.contains(&name) {
        return Err(Breach::new("reserved", "must be another name; templates have a word or a function of this name"));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if begins && name.len() <= 64 && name.bytes().all(fits) {
        return Ok(name.to_owned());
    }
    Err(Breach::new("pattern", "must begin with a letter and have at most 64 letters, digits and underscores"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(input: &VariableInput) -> Vec<(String, &'static str)> {
        let mut violations = Violations::default();
        input.check("/variables/0", &mut violations);
        violations.iter().map(|one| (one.field.clone(), one.rule)).collect()
    }

    #[test]
    fn each_type_has_its_own_bounds_and_no_others() {
        let named = |kind| VariableInput { name: Some("a".to_owned()), kind: Some(kind), ..VariableInput::default() };
        for kind in ["text", "integer", "decimal", "boolean", "texts"] {
            assert_eq!(faults(&named(VariableType::named(kind).unwrap())), [], "{kind}");
        }
        let at = |field: &str, rule| vec![(format!("/variables/0/{field}"), rule)];
        assert_eq!(faults(&named(VariableType::Choice)), at("choices", "required"));
        let minimum = VariableInput { minimum: Some(1), ..named(VariableType::Text) };
        assert_eq!(faults(&minimum), at("minimum", "consistent"));
        let crossed = VariableInput { minimum: Some(1), maximum: Some(0), ..named(VariableType::Integer) };
        assert_eq!(faults(&crossed), at("maximum", "range"));
        let long = VariableInput { max_length: Some(50_001), ..named(VariableType::Texts) };
        assert_eq!(faults(&long), at("maxLength", "range"));
        let odd = VariableInput { default: Some(json!(1)), ..named(VariableType::Boolean) };
        assert_eq!(faults(&odd), at("default", "boolean"));
        let choices = Some(vec!["a".to_owned(), "b\n".to_owned()]);
        let choices = VariableInput { choices, ..named(VariableType::Choice) };
        assert_eq!(faults(&choices), at("choices/1", "control_character"));
    }

    #[test]
    fn a_name_is_one_that_templates_can_say() {
        for odd in ["", "1a", "_a", "a-b", "a b", "é", "loop", "range", "none"] {
            assert!(variable_name(odd).is_err(), "{odd}");
        }
        assert!(variable_name("product_Name2").is_ok() && variable_name(&"a".repeat(65)).is_err());
    }
}
