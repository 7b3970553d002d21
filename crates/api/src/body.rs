//! JSON bodies: read once, every fault told at once with its JSON pointer.

use std::{borrow::Cow, fmt, future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web::{Bytes, BytesMut},
};
use domain::Violations;
use futures_util::StreamExt as _;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};
use uuid::Uuid;

use crate::{
    Shared,
    path::uuid,
    problem::{In, Problem},
};

/// The bytes of a JSON body, within the size limit.
#[derive(Debug)]
pub struct JsonBody(Bytes);

impl JsonBody {
    /// The bytes as they came.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads one JSON object: `read` takes its fields and may add breaches of its own. What `read` did not take is
    /// unknown and refused (ruling R18).
    ///
    /// # Errors
    /// A 400 that lists every fault, or gives line and column when the text is no JSON object at all.
    pub fn read<T>(&self, read: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Result<T, Problem> {
        let text = std::str::from_utf8(&self.0)
            .map_err(|fault| malformed(format!("The body must be UTF-8; byte {} is not", fault.valid_up_to())))?;
        let mut fields: Fields<'_> = serde_json::from_str(text).map_err(|fault| {
            malformed(format!("The body must be one JSON object: {fault}"))
                .detail("line", fault.line().into())
                .detail("column", fault.column().into())
        })?;
        let value = read(&mut fields);
        fields.refuse_unknown();
        match value {
            Some(value) if fields.violations.is_empty() => Ok(value),
            _ => Err(Problem::invalid(In::Body, &fields.violations)),
        }
    }
}

fn malformed(message: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, message)
}

impl FromRequest for JsonBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<Shared>().map_or(0, |services| services.settings.body_limit);
        let fault =
            wrong_type(request).or_else(|| announced(request).filter(|size| *size > limit).map(|_| too_large(limit)));
        let mut payload = payload.take();
        Box::pin(async move {
            if let Some(fault) = fault {
                return Err(fault);
            }
            let mut body = BytesMut::new();
            while let Some(chunk) = payload.next().await {
                let chunk = chunk.map_err(|fault| malformed(format!("The body could not be read: {fault}")))?;
                if body.len() + chunk.len() > limit {
                    return Err(too_large(limit));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Self(body.freeze()))
        })
    }
}

fn wrong_type(request: &HttpRequest) -> Option<Problem> {
    let refused = |message| Some(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let fits = essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > 5 && essence.get(essence.len() - 5..).is_some_and(|end| end.eq_ignore_ascii_case("+json")));
    if !fits {
        return refused("Send the body as application/json");
    }
    // RFC 8259, 8.1: JSON between systems is UTF-8. Who says otherwise would have their text misread.
    let charsets =
        parts.filter_map(|part| part.split_once('=')).filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
    let mut others = charsets.map(|(_, value)| value.trim_matches('"')).filter(|charset| !utf_8(charset));
    others.next().and_then(|_| refused("Send the body in UTF-8, as application/json without a charset"))
}

/// US-ASCII is a part of UTF-8.
fn utf_8(charset: &str) -> bool {
    ["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known))
}

fn announced(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The body must have at most {limit} bytes"))
}

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

    fn refuse_unknown(&mut self) {
        for (name, _) in std::mem::take(&mut self.given) {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            self.violations.add(pointer, "unknown", "is not a field of this body");
        }
    }
}

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
        let mut fields =
            Fields { given: Vec::new(), asked: Vec::new(), null_is_fault: false, violations: Violations::default() };
        while let Some(Name(name)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            if fields.given.iter().any(|(given, _)| *given == name) {
                fields.violations.add(format!("/{name}"), "duplicate", "is given more than once");
            } else if fields.given.len() < FIELDS_MAX {
                fields.given.push((name, value));
            }
        }
        Ok(fields)
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn twins_and_great_numbers_are_refused() {
        assert_eq!(faults(r#"{"name":"a","name":"b"}"#), [("/name".to_owned(), "duplicate".to_owned())]);
        assert_eq!(faults(r#"{"stock":99999999999999999999}"#), [("/stock".to_owned(), "range".to_owned())]);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for json in ["", "[]", "1", "{", "{\"a\":1}x", "{\"a\":NaN}", &"[".repeat(100_000)] {
            assert!(JsonBody(Bytes::copy_from_slice(json.as_bytes())).read(|_| Some(())).is_err(), "{json:.20}");
        }
        assert!(JsonBody(Bytes::from_static(b"{\"a\":\"\xff\"}")).read(|_| Some(())).is_err());
    }

    #[test]
    fn a_deep_value_is_refused_without_a_deep_stack() {
        let json = format!(r#"{{"metadata":{{"a":{}{}}}}}"#, "[".repeat(50_000), "]".repeat(50_000));
        assert_eq!(faults(&json), [("/metadata".to_owned(), "object".to_owned())]);
    }
}
