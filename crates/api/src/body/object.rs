//! A JSON object cut into its fields, whose values stay as they were written.

use std::{borrow::Cow, fmt};

use domain::Violations;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::Fields;

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut given, mut violations) = (Vec::new(), Violations::default());
        while let Some(Name(name)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            if given.iter().any(|(seen, _)| *seen == name) {
                violations.add(format!("/{name}"), "duplicate", "is given more than once");
            } else if given.len() < FIELDS_MAX {
                given.push((name, value));
            }
        }
        Ok(Fields::new(given, violations))
    }
}

/// More fields than any body has: the first ones are enough to refuse it, and looking for twins stays cheap.
const FIELDS_MAX: usize = 100;

/// The name of a field, borrowed unless it holds escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }
            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}
