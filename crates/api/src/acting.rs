//! The header that says for which of several seller accounts somebody acts, as part of a document.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde_json::json;
use utoipa::{
    IntoParams,
    openapi::{
        Required,
        path::{Parameter, ParameterIn},
    },
};

/// The header. The layer of authentication reads it for every operation; those it makes a difference to name it.
pub const HEADER: &str = "Souk-Seller";

/// Stands in the signature of a handler that acts for one seller account.
#[derive(Debug, Clone, Copy)]
pub struct ActingFor;

impl FromRequest for ActingFor {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self))
    }
}

impl IntoParams for ActingFor {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut header = Parameter::new(HEADER);
        header.parameter_in = ParameterIn::Header;
        header.required = Required::False;
        header.description = Some("The seller account to act for; needed by members of several".to_owned());
        header.schema = serde_json::from_value(json!({ "type": "string", "format": "uuid" })).ok();
        vec![header]
    }
}
