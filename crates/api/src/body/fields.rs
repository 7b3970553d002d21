//! The fields of a JSON object: each is asked for by name and kind.

use std::{borrow::Cow, fmt};

use chrono::DateTime;
use domain::{Violations, clock::Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
use uuid::Uuid;

use crate::path::uuid;

/// The fields of a JSON object, taken one by one. A field of the wrong type is noted as a fault and given as absent,
/// so that reading goes on and finds the others.
pub struct Fields<'a> {
    given: Vec<(Cow<'a, str>, &'a RawValue)>,
    asked: Vec<&'static str>,
    null_is_fault: bool,
    /// What is wrong so far; the rules of the domain add to it.
    pub violations: Violations,
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields").field("asked", &self.asked).finish_non_exhaustive()
    }
}

/// What stands in a field that may be emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given<T> {
    /// It is absent, or of the wrong type.
    Absent,
    /// It is `null`.
    Null,
    /// It has a value.
    Value(T),
}

impl<'a> Fields<'a> {
    /// These fields, with what was found wrong while they were cut.
    pub(super) fn new(given: Vec<(Cow<'a, str>, &'a RawValue)>, violations: Violations) -> Self {
        Self { given, asked: Vec::new(), null_is_fault: false, violations }
    }

    /// From here on `null` is a fault where it cannot empty the field: in a change, taking it for absent would do
    /// nothing and say nothing.
    pub fn of_a_change(&mut self) {
        self.null_is_fault = true;
    }

    /// The text of a field; `null` counts as absent.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.typed(name, "string", "must be a string")
    }

    /// The text of a field that may be emptied with `null`.
    pub fn text_or_null(&mut self, name: &'static str) -> Given<String> {
        self.nullable(name, |fields| fields.text(name))
    }

    /// A whole number.
    pub fn integer(&mut self, name: &'static str) -> Option<i64> {
        let raw = self.number(name)?;
        let whole = match raw.split_once('.') {
            Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
            _ => raw,
        };
        match whole.parse() {
            Ok(number) => Some(number),
            Err(_) if whole.bytes().all(|b| b.is_ascii_digit() || b == b'-') => {
                self.fault(name, "range", "is out of range")
            }
            Err(_) => self.fault(name, "integer", "must be a whole number"),
        }
    }

    /// A whole number, or `null` to empty the field.
    pub fn integer_or_null(&mut self, name: &'static str) -> Given<i64> {
        self.nullable(name, |fields| fields.integer(name))
    }

    /// A whole number that 32 bits hold.
    pub fn small(&mut self, name: &'static str) -> Option<i32> {
        let number = self.integer(name)?;
        match i32::try_from(number) {
            Ok(number) => Some(number),
            Err(_) => self.fault(name, "range", "is out of range"),
        }
    }

    /// A number as it was written, so that nothing of it is lost.
    pub fn number(&mut self, name: &'static str) -> Option<&'a str> {
        let raw = self.take(name)?;
        if raw.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            Some(raw)
        } else {
            self.fault(name, "number", "must be a number")
        }
    }

    /// A UUID.
    pub fn uuid(&mut self, name: &'static str) -> Option<Uuid> {
        let text = self.text(name)?;
        match uuid(&text) {
            Some(id) => Some(id),
            None => self.fault(name, "uuid", "must be a UUID"),
        }
    }

    /// A UUID, or `null` to empty the field.
    pub fn uuid_or_null(&mut self, name: &'static str) -> Given<Uuid> {
        self.nullable(name, |fields| fields.uuid(name))
    }

    /// A moment, exact to the microsecond, as databases keep it.
    pub fn moment(&mut self, name: &'static str) -> Option<Timestamp> {
        let text = self.text(name)?;
        let read = DateTime::parse_from_rfc3339(&text).ok();
        match read.and_then(|moment| DateTime::from_timestamp_micros(moment.timestamp_micros())) {
            Some(moment) => Some(moment),
            None => self.fault(name, "date_time", "must be a moment, such as 2030-01-31T12:00:00Z"),
        }
    }

    /// A list of texts that may be emptied with `null`.
    pub fn texts_or_null(&mut self, name: &'static str) -> Given<Vec<String>> {
        self.nullable(name, |fields| fields.texts(name))
    }

    /// A list of texts; each item of the wrong type is a fault of its own.
    pub fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let raw = self.take(name)?;
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw) else {
            return self.fault(name, "array", "must be an array of strings");
        };
        let mut texts = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            match serde_json::from_str(item.get()) {
                Ok(text) => texts.push(text),
                Err(_) => self.violations.add(format!("/{name}/{i}"), "string", "must be a string"),
            }
        }
        (texts.len() == items.len()).then_some(texts)
    }

    /// A list of UUIDs; each item that is none is a fault of its own.
    pub fn uuids(&mut self, name: &'static str) -> Option<Vec<Uuid>> {
        let texts = self.texts(name)?;
        let mut ids = Vec::with_capacity(texts.len());
        for (i, text) in texts.iter().enumerate() {
            match uuid(text) {
                Some(id) => ids.push(id),
                None => self.violations.add(format!("/{name}/{i}"), "uuid", "must be a UUID"),
            }
        }
        (ids.len() == texts.len()).then_some(ids)
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, name: &'static str) -> Option<bool> {
        self.typed(name, "boolean", "must be true or false")
    }

    /// A list of JSON objects, each read as a body is; faults are told with the place in the list.
    pub fn objects<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Fields<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let raw = self.take(name)?;
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw) else {
            return self.fault(name, "array", "must be an array of objects");
        };
        let mut all = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            all.extend(self.below(&format!("/{name}/{index}"), item.get(), &mut read));
        }
        (all.len() == items.len()).then_some(all)
    }

    /// A JSON object that is read as a body is.
    pub fn nested<T>(&mut self, name: &'static str, mut read: impl FnMut(&mut Fields<'_>) -> Option<T>) -> Option<T> {
        let raw = self.take(name)?;
        self.below(&format!("/{name}"), raw, &mut read)
    }

    fn below<T>(&mut self, at: &str, raw: &str, read: &mut impl FnMut(&mut Fields<'_>) -> Option<T>) -> Option<T> {
        let Ok(mut fields) = serde_json::from_str::<Fields<'_>>(raw) else {
            self.violations.add(at, "object", "must be a JSON object");
            return None;
        };
        let value = read(&mut fields);
        fields.refuse_unknown();
        for fault in fields.violations.iter() {
            self.violations.add(format!("{at}{}", fault.field), fault.rule, fault.message.clone());
        }
        value.filter(|_| fields.violations.is_empty())
    }

    /// Anything; `null` counts as absent.
    pub fn any(&mut self, name: &'static str) -> Option<Value> {
        self.typed(name, "value", "must be a JSON value that is not nested deeper than 100 levels")
    }

    /// A number, as near as 64 bits come to it.
    pub fn float(&mut self, name: &'static str) -> Option<f64> {
        let raw = self.number(name)?;
        match raw.parse() {
            Ok(number) => Some(number),
            Err(_) => self.fault(name, "number", "must be a number"),
        }
    }

    /// A list of anything.
    pub fn values(&mut self, name: &'static str) -> Option<Vec<Value>> {
        self.typed(name, "array", "must be an array that is not nested deeper than 100 levels")
    }

    /// A JSON object of any content.
    pub fn object(&mut self, name: &'static str) -> Option<Map<String, Value>> {
        self.typed(name, "object", "must be a JSON object that is not nested deeper than 100 levels")
    }

    /// One of several names.
    pub fn choice<T>(&mut self, name: &'static str, read: impl Fn(&str) -> Option<T>, choices: &str) -> Option<T> {
        let text = self.text(name)?;
        match read(&text) {
            Some(value) => Some(value),
            None => self.fault(name, "enum", format!("must be one of {choices}")),
        }
    }

    /// The names of the fields asked for; a test compares them with the document.
    pub fn asked(&self) -> &[&'static str] {
        &self.asked
    }

    fn typed<T: Deserialize<'a>>(&mut self, name: &'static str, rule: &'static str, message: &str) -> Option<T> {
        let raw = self.take(name)?;
        match serde_json::from_str(raw) {
            Ok(value) => Some(value),
            Err(_) => self.fault(name, rule, message),
        }
    }

    fn nullable<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> Option<T>) -> Given<T> {
        if self.given.iter().any(|(given, raw)| given == name && raw.get() == "null") {
            self.take_raw(name);
            return Given::Null;
        }
        read(self).map_or(Given::Absent, Given::Value)
    }

    fn fault<T>(&mut self, name: &str, rule: &'static str, message: impl Into<String>) -> Option<T> {
        self.violations.add(format!("/{name}"), rule, message);
        None
    }

    fn take(&mut self, name: &'static str) -> Option<&'a str> {
        let raw = self.take_raw(name)?;
        if raw != "null" {
            return Some(raw);
        }
        if self.null_is_fault {
            return self.fault(name, "null", "must not be null; leave it out to keep what there is");
        }
        None
    }

    fn take_raw(&mut self, name: &'static str) -> Option<&'a str> {
        self.asked.push(name);
        let place = self.given.iter().position(|(given, _)| given == name)?;
        Some(self.given.swap_remove(place).1.get())
    }

    /// Notes every field that nobody asked for.
    pub(super) fn refuse_unknown(&mut self) {
        for (name, _) in std::mem::take(&mut self.given) {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            self.violations.add(pointer, "unknown", "is not a field of this body");
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::web::Bytes;

    use super::*;
    use crate::body::JsonBody;

    fn faults(json: &str) -> Vec<(String, String)> {
        let problem = JsonBody(Bytes::copy_from_slice(json.as_bytes()))
            .read(|fields| {
                fields.text("name");
                fields.number("price");
                fields.integer("stock");
                fields.texts("images");
                fields.uuid_or_null("categoryId");
                fields.object("metadata");
                Some(())
            })
            .unwrap_err();
        let body: Value = serde_json::from_slice(&problem.body("r")).unwrap();
        let fields = body["error"]["details"]["fields"].as_array().cloned().unwrap_or_default();
        fields
            .iter()
            .map(|f| (f["field"].as_str().unwrap().to_owned(), f["rule"].as_str().unwrap().to_owned()))
            .collect()
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let told =
            faults(r#"{"name":1,"price":"9.99","stock":1.5,"images":["a",2],"categoryId":"x","metadata":[],"a/b":0}"#);
        let expected = [
            ("/name", "string"),
            ("/price", "number"),
            ("/stock", "integer"),
            ("/images/1", "string"),
            ("/categoryId", "uuid"),
            ("/metadata", "object"),
            ("/a~1b", "unknown"),
        ];
        assert_eq!(told, expected.map(|(field, rule)| (field.to_owned(), rule.to_owned())));
    }

    #[test]
    fn a_fault_inside_is_told_with_its_place() {
        let json = r#"{"list":[{"a":1},{"a":"x","b":2},7],"one":{"a":"x","c/d":1},"odd":[1]}"#;
        let problem = JsonBody(Bytes::from_static(json.as_bytes()))
            .read(|fields| {
                let list = fields.objects("list", |fields| fields.integer("a"));
                let one = fields.nested("one", |fields| fields.text("a"));
                assert_eq!((list, one), (None, None));
                assert_eq!(fields.any("odd"), Some(serde_json::json!([1])));
                Some(())
            })
            .unwrap_err();
        let body: Value = serde_json::from_slice(&problem.body("r")).unwrap();
        let fields = body["error"]["details"]["fields"].as_array().unwrap();
        let told: Vec<_> =
            fields.iter().map(|one| (one["field"].as_str().unwrap(), one["rule"].as_str().unwrap())).collect();
        let expected =
            [("/list/1/a", "number"), ("/list/1/b", "unknown"), ("/list/2", "object"), ("/one/c~1d", "unknown")];
        assert_eq!(told, expected);
    }

    #[test]
    fn twins_and_great_numbers_are_refused() {
        assert_eq!(faults(r#"{"name":"a","name":"b"}"#), [("/name".to_owned(), "duplicate".to_owned())]);
        assert_eq!(faults(r#"{"stock":99999999999999999999}"#), [("/stock".to_owned(), "range".to_owned())]);
    }

    #[test]
    fn a_deep_value_is_refused_without_a_deep_stack() {
        let json = format!(r#"{{"metadata":{{"a":{}{}}}}}"#, "[".repeat(50_000), "]".repeat(50_000));
        assert_eq!(faults(&json), [("/metadata".to_owned(), "object".to_owned())]);
    }
}
