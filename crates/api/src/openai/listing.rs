//! Lists in the words of this protocol: what lies behind a thing that was told, so much of it, and whether there is more.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    errors::{invalid, refusal},
    told,
};
use crate::{problem::Problem, query::Query};

/// The most things that one answer tells.
const MOST: u32 = 100;

/// What is asked for.
pub(super) struct Wanted {
    /// The thing that was told last.
    pub(super) after: Option<Uuid>,
    /// How many at most.
    pub(super) limit: u32,
    query: Query,
}

impl Wanted {
    /// Reads it. `kind` is what stands before an id, `most` the largest number that may be asked for.
    ///
    /// # Errors
    /// 400 that names the parameter.
    pub(super) fn read(http: &HttpRequest, kind: &str, usual: u32, most: u32) -> Result<Self, Problem> {
        let mut query = Query::parse(http.query_string());
        let after = match query.one("after").filter(|after| !after.is_empty()) {
            None => None,
            Some(text) => Some(id(kind, &text).ok_or_else(|| invalid("after", "must be the id of one of the list"))?),
        };
        let limit = match query.one("limit") {
            None => usual,
            Some(text) => {
                let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
                limit.ok_or_else(|| invalid("limit", format!("must be a whole number from 1 to {most}")))?
            }
        };
        if !query.violations.is_empty() {
            let message = "The query must be percent-encoded UTF-8 with each parameter once";
            return Err(refusal(StatusCode::BAD_REQUEST, "invalid_value", None, message));
        }
        Ok(Self { after, limit: limit.min(MOST), query })
    }

    /// Another parameter.
    pub(super) fn one(&mut self, name: &'static str) -> Option<String> {
        self.query.one(name).filter(|text| !text.is_empty())
    }

    /// How many are to be looked for: one more says that there is more.
    pub(super) fn looked_for(&self) -> u32 {
        self.limit + 1
    }

    /// Tells what was found.
    pub(super) fn told(&self, mut data: Vec<Value>) -> HttpResponse {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let has_more = data.len() > limit;
        data.truncate(limit);
        let id = |one: Option<&Value>| one.and_then(|one| one.get("id")).cloned().unwrap_or(Value::Null);
        let (first, last) = (id(data.first()), id(data.last()));
        told(&json!({ "object": "list", "data": data, "first_id": first, "last_id": last, "has_more": has_more }))
    }
}

/// Reads an id of this protocol.
pub(super) fn id(kind: &str, text: &str) -> Option<Uuid> {
    let hex = text.strip_prefix(kind).filter(|hex| hex.len() == 32)?;
    Uuid::try_parse(hex).ok()
}
