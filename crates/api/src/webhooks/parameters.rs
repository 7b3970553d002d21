//! What stands in the paths of webhooks.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use domain::id::WebhookMessageId;
use serde_json::json;
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};

use crate::{
    path::uuid,
    problem::{In, Problem},
};

/// The `{messageId}` of a path.
#[derive(Debug, Clone, Copy)]
pub struct MessageId(pub WebhookMessageId);

impl FromRequest for MessageId {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = request.match_info().get("messageId").unwrap_or_default();
        let id = uuid(given).map(|id| Self(WebhookMessageId(id)));
        ready(id.ok_or_else(|| Problem::broken(In::Path, "messageId", "uuid", "must be a UUID")))
    }
}

impl IntoParams for MessageId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut id = Parameter::new("messageId");
        id.parameter_in = ParameterIn::Path;
        id.description = Some("The message".to_owned());
        id.schema = serde_json::from_value(json!({ "type": "string", "format": "uuid" })).ok();
        vec![id]
    }
}
