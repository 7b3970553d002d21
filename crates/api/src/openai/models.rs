//! The models there are.

use actix_web::web::Path;
use domain::{assistant::Denied, permission::UseAssistant};
use serde_json::{Value, json};

use super::{errors::denied, told};
use crate::{Answer, Services, Shared, auth::Auth};

fn shown(services: &Services, name: &str) -> Value {
    json!({ "id": name, "object": "model", "created": services.started.timestamp(), "owned_by": "souk" })
}

/// All of them.
pub(super) async fn list(auth: Auth<UseAssistant>, services: Shared) -> Answer {
    let models = &services.assistant.assistant.models;
    if models.is_empty() {
        return Err(denied(Denied::NotConfigured, services.shop.now()));
    }
    let data: Vec<Value> = models
        .names()
        .into_iter()
        .filter(|name| auth.0.principal().may_ask(name))
        .map(|name| shown(&services, name))
        .collect();
    Ok(told(&json!({ "object": "list", "data": data })))
}

/// One of them.
pub(super) async fn get(auth: Auth<UseAssistant>, services: Shared, name: Path<String>) -> Answer {
    let models = &services.assistant.assistant.models;
    if models.is_empty() {
        return Err(denied(Denied::NotConfigured, services.shop.now()));
    }
    if models.names().contains(&name.as_str()) {
        if !auth.0.principal().may_ask(&name) {
            return Err(denied(Denied::NotForKey(name.into_inner()), services.shop.now()));
        }
        return Ok(told(&shown(&services, &name)));
    }
    Err(denied(Denied::UnknownModel(name.into_inner()), services.shop.now()))
}
