//! What stands in the paths and queries of rooms.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use domain::{id::UserId, page::Limit, room::ports::Window};
use serde_json::json;
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};

use crate::{
    path::uuid,
    problem::{In, Problem},
    query::{Query, Read},
};

/// The `{userId}` of a path.
#[derive(Debug, Clone, Copy)]
pub struct Person(pub UserId);

impl FromRequest for Person {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = request.match_info().get("userId").unwrap_or_default();
        let id = uuid(given).map(|id| Self(UserId(id)));
        ready(id.ok_or_else(|| Problem::broken(In::Path, "userId", "uuid", "must be a UUID")))
    }
}

impl IntoParams for Person {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut id = Parameter::new("userId");
        id.parameter_in = ParameterIn::Path;
        id.description = Some("The person".to_owned());
        id.schema = serde_json::from_value(json!({ "type": "string", "format": "uuid" })).ok();
        vec![id]
    }
}

/// The `{offset}` of a path.
#[derive(Debug, Clone, Copy)]
pub struct Offset(pub u64);

impl FromRequest for Offset {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = request.match_info().get("offset").unwrap_or_default();
        let digits = !given.is_empty() && given.bytes().all(|byte| byte.is_ascii_digit());
        let offset = given.parse().ok().filter(|offset| digits && *offset > 0).map(Self);
        ready(offset.ok_or_else(|| Problem::broken(In::Path, "offset", "range", "must be a whole number from 1")))
    }
}

impl IntoParams for Offset {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut offset = Parameter::new("offset");
        offset.parameter_in = ParameterIn::Path;
        offset.description = Some("The place of the message".to_owned());
        offset.schema =
            serde_json::from_value(json!({ "type": "integer", "format": "int64", "minimum": 1, "example": 1 })).ok();
        vec![offset]
    }
}

/// Which messages of a room.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct History {
    /// The messages after this offset, the first of them.
    #[param(minimum = 0)]
    after: Option<u64>,
    /// The messages before this offset, the last of them. Without either, the last ones of all.
    #[param(minimum = 0)]
    before: Option<u64>,
    /// How many at the most.
    #[param(required = false, minimum = 1, maximum = 100, default = 20, example = 20)]
    limit: u32,
}

impl History {
    /// The window asked for, and how many messages of it.
    pub fn window(self) -> (Window, u32) {
        let window = self.after.map(Window::After).or(self.before.map(Window::Before)).unwrap_or(Window::Last);
        (window, self.limit)
    }
}

impl Read for History {
    fn read(query: &mut Query) -> Option<Self> {
        // As many as the document says an int64 has.
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| digits && i64::try_from(*number).is_ok())
        };
        let after = query.parsed("after", "number", "must be a whole number from 0", number);
        let before = query.parsed("before", "number", "must be a whole number from 0", number);
        if after.is_some() && before.is_some() {
            query.violations.add("before", "exclusive", "cannot go together with after");
        }
        let limit = query.parsed("limit", "range", "must be a whole number from 1 to 100", |text| {
            number(text).and_then(|limit| u32::try_from(limit).ok()).and_then(Limit::new)
        });
        Some(Self { after, before, limit: limit.unwrap_or_default().get() })
    }
}
