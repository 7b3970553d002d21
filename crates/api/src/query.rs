//! Query strings: every parameter is declared, every fault told at once (ruling R18).

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use domain::{
    Violations,
    page::{Limit, PageRequest},
};
use uuid::Uuid;

use crate::{
    path::uuid,
    problem::{In, Problem},
};

/// What a query string may hold. The type is also the document of its parameters.
pub trait Read: Sized {
    /// Takes the parameters; `None` when one of them is at fault.
    fn read(query: &mut Query) -> Option<Self>;
}

/// The parameters of a request, read as `T`.
#[derive(Debug, Clone)]
pub struct Params<T>(pub T);

impl<T: Read> FromRequest for Params<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Query::parse(request.query_string()).read().map(Self))
    }
}

/// Refuses every parameter, for operations that declare none.
///
/// # Errors
/// A 400 that names each one.
pub fn refuse_all(query: &str) -> Result<(), Problem> {
    Query::parse(query).read::<NoParams>().map(|_| ())
}

struct NoParams;

impl Read for NoParams {
    fn read(_: &mut Query) -> Option<Self> {
        Some(Self)
    }
}

/// A query string, cut and decoded.
#[derive(Debug)]
pub struct Query {
    given: Vec<(String, String)>,
    asked: Vec<&'static str>,
    /// What is wrong so far.
    pub violations: Violations,
}

impl Query {
    /// Cuts and decodes a query string; `tag[]=a` and `tag[0]=a` are the list form of `tag`.
    pub fn parse(text: &str) -> Self {
        let mut query = Self { given: Vec::new(), asked: Vec::new(), violations: Violations::default() };
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decoded(name), decoded(value)) {
                (Some(name), Some(value)) => {
                    if value.contains('\0') {
                        query.violations.add(&name, "control_character", "must not contain the character U+0000");
                    } else {
                        query.given.push((plain(name), value));
                    }
                }
                (name, _) => query.violations.add(
                    name.unwrap_or_else(|| "?".to_owned()),
                    "encoding",
                    "must be percent-encoded UTF-8",
                ),
            }
        }
        query
    }

    /// Reads a set of parameters and refuses what it does not declare.
    ///
    /// # Errors
    /// A 400 that lists every fault.
    pub fn read<T: Read>(mut self) -> Result<T, Problem> {
        let value = T::read(&mut self);
        for (name, _) in std::mem::take(&mut self.given) {
            self.violations.add(name, "unknown", "is not a parameter of this operation");
        }
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ => Err(Problem::invalid(In::Query, &self.violations)),
        }
    }

    /// A parameter that is given once at most.
    pub fn one(&mut self, name: &'static str) -> Option<String> {
        self.asked.push(name);
        let mut found = self.given.extract_if(.., |(given, _)| given == name).map(|(_, value)| value);
        let first = found.next();
        if found.next().is_some() {
            drop(found);
            self.violations.add(name, "once", "must be given once");
        }
        first
    }

    /// Whether a parameter is given.
    pub fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given == name)
    }

    /// A parameter read by `read`; what it cannot read is a fault.
    pub fn parsed<T>(
        &mut self,
        name: &'static str,
        rule: &'static str,
        message: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.one(name)?;
        let value = read(&text);
        if value.is_none() {
            self.violations.add(name, rule, message);
        }
        value
    }

    /// A parameter that is a list: given once per item, in brackets or not. `None` when it is not given at all.
    pub fn many<T, C: FromIterator<T>>(
        &mut self,
        name: &'static str,
        rule: &'static str,
        message: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<C> {
        self.asked.push(name);
        let texts: Vec<_> = self.given.extract_if(.., |(given, _)| given == name).map(|(_, text)| text).collect();
        if texts.is_empty() {
            return None;
        }
        let values: Option<C> = texts.iter().map(|text| read(text)).collect();
        if values.is_none() {
            self.violations.add(name, rule, message);
        }
        values
    }

    /// A UUID.
    pub fn uuid(&mut self, name: &'static str) -> Option<Uuid> {
        self.parsed(name, "uuid", "must be a UUID", uuid)
    }

    /// `page` and `limit`.
    pub fn page(&mut self) -> PageRequest {
        let page = self.parsed("page", "range", "must be a whole number from 1 to 4294967295", |text| {
            number(text).filter(|page| *page >= 1)
        });
        PageRequest { page: page.unwrap_or(1), limit: self.limit() }
    }

    /// `limit`.
    pub fn limit(&mut self) -> Limit {
        self.parsed("limit", "range", "must be a whole number from 1 to 100", |text| number(text).and_then(Limit::new))
            .unwrap_or_default()
    }

    /// The names of the parameters asked for; a test compares them with the document.
    pub fn asked(&self) -> &[&'static str] {
        &self.asked
    }
}

/// A whole number in plain digits: what `parse` takes beside them, such as `+1`, is no JSON number.
pub(crate) fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A name without the brackets of the list form.
fn plain(mut name: String) -> String {
    if name.ends_with(']')
        && let Some(open) = name.find('[')
        && name.get(open + 1..name.len() - 1).is_some_and(|index| index.bytes().all(|b| b.is_ascii_digit()))
    {
        name.truncate(open);
    }
    name
}

/// Percent-decoded text, or `None` when it is not UTF-8 or has a broken escape.
fn decoded(text: &str) -> Option<String> {
    if !text.contains(['%', '+']) {
        return Some(text.to_owned());
    }
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => out.push(hex(bytes.next()?)? << 4 | hex(bytes.next()?)?),
            other => out.push(other),
        }
    }
    String::from_utf8(out).ok()
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sample(PageRequest, Option<String>);

    impl Read for Sample {
        fn read(query: &mut Query) -> Option<Self> {
            Some(Self(query.page(), query.one("search")))
        }
    }

    fn faults(text: &str) -> Vec<(String, &'static str)> {
        let mut query = Query::parse(text);
        Sample::read(&mut query);
        for (name, _) in std::mem::take(&mut query.given) {
            query.violations.add(name, "unknown", "");
        }
        query.violations.iter().map(|v| (v.field.clone(), v.rule)).collect()
    }

    #[test]
    fn declared_parameters_are_read() {
        let sample: Sample = Query::parse("page=2&limit=5&search=caf%C3%A9+bar").read().unwrap();
        assert_eq!((sample.0.page, sample.0.limit.get(), sample.1.as_deref()), (2, 5, Some("café bar")));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let told = faults("page=0&limit=1000000&search=a&search=b&colour=red&x=%zz&y=%00");
        let expected = [
            ("x", "encoding"),
            ("y", "control_character"),
            ("page", "range"),
            ("limit", "range"),
            ("search", "once"),
            ("colour", "unknown"),
        ];
        assert_eq!(told, expected.map(|(field, rule)| (field.to_owned(), rule)));
    }

    #[test]
    fn a_list_is_given_in_any_form() {
        let digits = |text: &str| Query::parse(text).many::<_, Vec<u32>>("n", "digit", "", |text| text.parse().ok());
        for text in ["n=1&n=2", "n[]=1&n[]=2", "n[0]=1&n[1]=2", "n%5B%5D=1&n=2"] {
            assert_eq!(digits(text), Some(vec![1, 2]), "{text}");
        }
        assert_eq!((digits("m=1"), digits("n=1&n=x")), (None, None));
    }

    #[test]
    fn a_scalar_in_list_form_counts_as_given() {
        assert_eq!(faults("search[]=a&search[1]=b"), [("search".to_owned(), "once")]);
        assert_eq!(faults("limit=+1"), [("limit".to_owned(), "range")]);
    }
}
