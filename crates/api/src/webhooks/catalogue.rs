//! The catalogue of what can be heard, with the schemas of the types that are sent.

use actix_web::{HttpResponse, get};
use domain::{
    Error, Result,
    shop::Rules,
    webhooks::{EventType, Form, Owner, Wording},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::schema;
use crate::{Answer, Shared};

/// What can be heard.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEventTypes)]
pub struct CatalogueView {
    /// Every type.
    pub items: Vec<EventTypeView>,
}

/// Something that can be heard.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEventType)]
#[serde(rename_all = "camelCase")]
pub struct EventTypeView {
    /// Its name.
    #[serde(rename = "type")]
    #[schema(example = "product.updated")]
    pub kind: &'static str,
    /// The version of its data; what they mean changes with another one alone.
    #[schema(example = 1, minimum = 1)]
    pub version: u32,
    /// What it tells.
    #[schema(example = "A product that could be seen is another now.")]
    pub description: &'static str,
    /// Whose endpoints can hear it: `person`, `seller`, `shop`.
    #[schema(example = json!(["person", "seller", "shop"]))]
    pub owners: Vec<&'static str>,
    /// The JSON Schema (2020-12) of the whole body in the full form.
    #[schema(value_type = Object, example = json!({ "type": "object" }))]
    pub full_schema: Value,
    /// A body in the full form.
    #[schema(value_type = Object, example = json!({ "type": "product.updated" }))]
    pub full_example: Value,
    /// The JSON Schema of the whole body in the thin form.
    #[schema(value_type = Object, example = json!({ "type": "object" }))]
    pub thin_schema: Value,
    /// A body in the thin form.
    #[schema(value_type = Object, example = json!({ "type": "product.updated" }))]
    pub thin_example: Value,
}

/// Lists what webhooks can tell, with the schema of each and examples.
#[utoipa::path(
    tag = "webhooks",
    responses((status = 200, description = "The catalogue", body = CatalogueView)),
)]
#[get("/api/v1/webhooks/event-types")]
pub async fn list_webhook_event_types(services: Shared) -> Answer {
    let (wording, rules) = (services.webhooks.wording.as_ref(), &services.shop.rules);
    let items = EventType::ALL.into_iter().map(|kind| told(kind, wording, rules)).collect::<Result<_>>()?;
    Ok(HttpResponse::Ok().json(CatalogueView { items }))
}

fn told(kind: EventType, wording: &dyn Wording, rules: &Rules) -> Result<EventTypeView> {
    let owners = [
        (Owner::Person(domain::id::UserId(uuid::Uuid::nil())), "person"),
        (Owner::Seller(domain::id::SellerId(uuid::Uuid::nil())), "seller"),
        (Owner::Shop, "shop"),
    ];
    let example = |form| {
        let data: Value = serde_json::from_str(&wording.example(kind, form)?).map_err(Error::internal)?;
        Ok::<_, Error>(json!({ "type": kind.name(), "timestamp": "2026-01-02T03:04:05Z", "data": data }))
    };
    Ok(EventTypeView {
        kind: kind.name(),
        version: 1,
        description: schema::description(kind),
        owners: owners.into_iter().filter(|(owner, _)| kind.is_for(*owner)).map(|(_, name)| name).collect(),
        full_schema: schema::body(kind, Form::Full, rules),
        full_example: example(Form::Full)?,
        thin_schema: schema::body(kind, Form::Thin, rules),
        thin_example: example(Form::Thin)?,
    })
}
