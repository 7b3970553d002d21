//! What stands in the paths and queries of prompts.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use domain::{assistant::prompts::VersionNumber, page::PageRequest};
use utoipa::IntoParams;

use crate::{
    problem::{In, Problem},
    query::{Query, Read},
};

/// The `{name}` of a path.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PromptName {
    /// The name of the prompt.
    #[param(example = "write-listing")]
    pub name: String,
}

impl FromRequest for PromptName {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // What is no name is that of no prompt.
        ready(Ok(Self { name: request.match_info().get("name").unwrap_or_default().to_owned() }))
    }
}

/// The `{number}` of a path.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct Number {
    /// The number of the version, from 1.
    #[param(minimum = 1, maximum = 2_147_483_647, value_type = i64, example = 1)]
    number: u32,
}

impl Number {
    pub(super) fn of(self) -> VersionNumber {
        VersionNumber(self.number.into())
    }
}

impl FromRequest for Number {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let number = request.match_info().get("number").and_then(crate::models3d::version_number);
        let fault = || Problem::broken(In::Path, "number", "range", "must be a whole number from 1 to 2147483647");
        ready(number.map(|number| Self { number }).ok_or_else(fault))
    }
}

/// Which prompts.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PromptsParams {
    /// Those that are put away instead of those that are not.
    #[param(required = false, default = false, example = false)]
    archived: bool,
    /// The page, from 1.
    #[param(required = false, minimum = 1, maximum = 4_294_967_295_i64, default = 1, value_type = i64)]
    page: u32,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
}

impl PromptsParams {
    pub(super) fn asked(self) -> (bool, PageRequest) {
        let limit = domain::page::Limit::new(self.limit).unwrap_or_default();
        (self.archived, PageRequest { page: self.page, limit })
    }
}

impl Read for PromptsParams {
    fn read(query: &mut Query) -> Option<Self> {
        let archived = query.parsed("archived", "boolean", "must be true or false", |text| text.parse().ok());
        let page = query.page();
        Some(Self { archived: archived.unwrap_or_default(), page: page.page, limit: page.limit.get() })
    }
}
