//! What a token or an answer says of somebody.

use domain::identity::Email;
use serde_json::{Map, Value};

/// Longest subject.
const LONGEST: usize = 255;

/// What is said of somebody.
#[derive(Debug, Clone)]
pub(super) struct Claims(pub(super) Map<String, Value>);

impl Claims {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A moment in seconds since 1970.
    pub(super) fn moment(&self, name: &str) -> Option<i64> {
        let value = self.0.get(name)?;
        value.as_i64().or_else(|| {
            let seconds = value.as_f64().filter(|seconds| (0.0..1e11).contains(seconds))?;
            // Some write fractions of seconds.
            format!("{seconds:.0}").parse().ok()
        })
    }

    /// Who it is about.
    pub(super) fn subject(&self) -> Option<&str> {
        self.text("sub").filter(|subject| !subject.is_empty() && subject.len() <= LONGEST)
    }

    /// One text or several.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether something is so; Apple says it by a text, Microsoft by a number too.
    pub(super) fn says(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(so)) => *so,
            Some(Value::String(so)) => so == "true" || so == "1",
            Some(Value::Number(so)) => so.as_i64() == Some(1),
            _ => false,
        }
    }

    /// An address, if it is one.
    pub(super) fn email(&self, name: &str) -> Option<Email> {
        Email::parse(self.text(name)?).ok()
    }

    /// The name somebody goes by.
    pub(super) fn name(&self, claim: &str) -> Option<String> {
        let whole = self.text(claim).map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        whole.or_else(|| {
            let parts: Vec<&str> = ["given_name", "family_name"].iter().filter_map(|part| self.text(part)).collect();
            Some(parts.join(" ").trim().to_owned()).filter(|name| !name.is_empty())
        })
    }
}
