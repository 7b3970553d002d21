//! The arguments of a tool. One list of fields is both the schema that a model is shown and what its arguments are read by, so the two
//! cannot differ.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    error::{Result, Violations},
    shop::Rules,
};

/// One argument.
#[derive(Debug)]
pub(super) struct Field {
    pub name: &'static str,
    /// What it is, for a model.
    pub about: &'static str,
    pub form: Form,
    pub required: bool,
}

/// What an argument looks like.
#[derive(Debug)]
pub(super) enum Form {
    /// A text of so many characters.
    Text(usize, usize),
    /// The name of a product, as long as the operator's rules let it be.
    Name,
    /// A decimal number in a text, so that it stays exact.
    Decimal,
    /// A whole number from and up to.
    Whole(i64, i64),
    /// The id of something.
    Id,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// The form of a decimal number.
const DECIMAL: &str = r"^[0-9]{1,12}(\.[0-9]{1,6})?$";

impl Form {
    fn schema(&self, rules: &Rules) -> Map<String, Value> {
        let schema = match self {
            Self::Text(min, max) => json!({ "type": "string", "minLength": min, "maxLength": max }),
            Self::Name => json!({ "type": "string", "minLength": rules.name_min, "maxLength": rules.name_max }),
            Self::Decimal => json!({ "type": "string", "pattern": DECIMAL }),
            Self::Whole(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Self::Id => json!({ "type": "string", "format": "uuid" }),
            Self::Word(words) => json!({ "type": "string", "enum": words }),
        };
        schema.as_object().cloned().unwrap_or_default()
    }

    /// The rule that a value breaks, and what it should be.
    fn breach(&self, value: &Value) -> Option<(&'static str, String)> {
        let text = |fits: &dyn Fn(&str) -> Option<(&'static str, String)>| match value.as_str() {
            Some(text) => fits(text),
            None => Some(("string", "must be a string".to_owned())),
        };
        match self {
            Self::Text(min, max) => text(&|text| {
                let length = text.chars().count();
                if length < *min {
                    return Some(("min_length", format!("must have at least {min} characters, has {length}")));
                }
                (length > *max).then(|| ("max_length", format!("must have at most {max} characters, has {length}")))
            }),
            // Its length is a rule of products, which are looked at after.
            Self::Name => text(&|_| None),
            Self::Decimal => text(&|text| {
                let message = "must be a decimal number in a string, such as \"19.95\"";
                (!is_decimal(text)).then(|| ("number", message.to_owned()))
            }),
            Self::Whole(min, max) => match value.as_i64() {
                Some(number) if (*min..=*max).contains(&number) => None,
                _ => Some(("range", format!("must be a whole number from {min} to {max}"))),
            },
            Self::Id => text(&|text| id(text).is_none().then(|| ("uuid", "must be a UUID".to_owned()))),
            Self::Word(words) => {
                text(&|text| (!words.contains(&text)).then(|| ("enum", format!("must be one of {}", words.join(", ")))))
            }
        }
    }
}

fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let digits =
        |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole, 12) && fraction.is_none_or(|fraction| digits(fraction, 6))
}

/// In the one form that schemas promise.
fn id(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}

/// The JSON Schema (2020-12) of these fields.
pub(super) fn schema(fields: &[Field], rules: &Rules) -> Value {
    let property = |field: &Field| {
        let mut schema = field.form.schema(rules);
        schema.insert("description".to_owned(), field.about.into());
        (field.name.to_owned(), Value::Object(schema))
    };
    let properties: Map<String, Value> = fields.iter().map(property).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Reads arguments; faults of all fields are told at once, each with its JSON pointer.
pub(super) fn read(fields: &[Field], arguments: &Value) -> Result<Given> {
    let mut violations = Violations::default();
    let Some(arguments) = arguments.as_object() else {
        violations.add("", "object", "must be one JSON object");
        return Err(violations.into());
    };
    let mut given = Map::new();
    for field in fields {
        // Some models fill in what they leave out.
        let Some(value) = arguments.get(field.name).filter(|value| !value.is_null()) else {
            if field.required {
                violations.add(format!("/{}", field.name), "required", "is required");
            }
            continue;
        };
        match field.form.breach(value) {
            None => _ = given.insert(field.name.to_owned(), value.clone()),
            Some((rule, message)) => violations.add(format!("/{}", field.name), rule, message),
        }
    }
    for name in arguments.keys() {
        if !fields.iter().any(|field| field.name == name) {
            let pointer = name.replace('~', "~0").replace('/', "~1");
            violations.add(format!("/{pointer}"), "unknown", "is no argument of this tool");
        }
    }
    violations.into_result()?;
    Ok(Given(given))
}

/// Arguments that were read.
#[derive(Debug)]
pub(super) struct Given(Map<String, Value>);

impl Given {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    pub fn whole(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    pub fn id<T: From<Uuid>>(&self, name: &str) -> Option<T> {
        self.text(name).and_then(id).map(T::from)
    }

    pub fn all(&self) -> &Map<String, Value> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    const FIELDS: [Field; 6] = [
        Field { name: "text", about: "a text", form: Form::Text(1, 3), required: true },
        Field { name: "price", about: "a price", form: Form::Decimal, required: false },
        Field { name: "limit", about: "a limit", form: Form::Whole(1, 20), required: false },
        Field { name: "id", about: "an id", form: Form::Id, required: false },
        Field { name: "mode", about: "a mode", form: Form::Word(&["a", "b"]), required: false },
        Field { name: "name", about: "a name", form: Form::Name, required: false },
    ];

    fn faults(arguments: &Value) -> Vec<(String, &'static str)> {
        match read(&FIELDS, arguments) {
            Ok(_) => Vec::new(),
            Err(Error::Invalid(faults)) => faults.iter().map(|one| (one.field.clone(), one.rule)).collect(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn every_fault_names_its_field_and_its_rule() {
        let all = json!({ "text": "", "price": "1e3", "limit": 21, "id": "x", "mode": "c", "name": 7, "a/b~c": 1 });
        let expected = [
            ("/text", "min_length"),
            ("/price", "number"),
            ("/limit", "range"),
            ("/id", "uuid"),
            ("/mode", "enum"),
            ("/name", "string"),
            ("/a~1b~0c", "unknown"),
        ];
        assert_eq!(faults(&all), expected.map(|(field, rule)| (field.to_owned(), rule)));
        assert_eq!(faults(&json!({ "text": "four" })), [("/text".to_owned(), "max_length")]);
        assert_eq!(faults(&json!({ "text": null })), [("/text".to_owned(), "required")]);
        assert_eq!(faults(&json!(["text"])), [(String::new(), "object")]);
    }

    #[test]
    fn what_fits_is_read() {
        let id = "019ace70-0000-7000-8000-000000000001";
        let fits = json!({ "text": "äöü", "price": "19.95", "limit": 20, "id": id, "mode": "b", "name": null });
        let given = read(&FIELDS, &fits).unwrap();
        assert_eq!((given.text("text"), given.whole("limit"), given.text("name")), (Some("äöü"), Some(20), None));
        assert_eq!(given.id::<Uuid>("id").map(|id| id.to_string()).as_deref(), Some(id));
        for (text, fits) in [("0", true), ("12.5", true), (".5", false), ("5.", false), ("-1", false), ("1,5", false)] {
            assert_eq!(is_decimal(text), fits, "{text}");
        }
    }

    #[test]
    fn the_schema_says_what_is_read() {
        let schema = schema(&FIELDS, &Rules::default());
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], json!(["text"]));
        let limit = json!({ "type": "integer", "minimum": 1, "maximum": 20, "description": "a limit" });
        assert_eq!(schema["properties"]["limit"], limit);
        assert_eq!(schema["properties"]["name"]["maxLength"], 100);
    }
}
