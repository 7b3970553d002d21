//! The catalogue of what can be heard, with the schemas of the types that are sent.

use std::borrow::Cow;

use actix_web::{HttpResponse, get};
use domain::{
    Error, Result,
    shop::Rules,
    webhooks::{EventType, Form, Owner, Wording},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::{OpenApi as _, ToSchema, openapi::ComponentsBuilder};

use super::data::{CategoryData, DisabledData, MemberData, PersonData, ThinData};
use crate::{
    Answer, Shared,
    openapi::forms,
    stream::{ModelNoticeView, ProductNoticeView},
};

/// Where schemas refer to each other in a document, and where in one that stands alone.
const DOCUMENT: &str = "#/components/schemas/";
const ALONE: &str = "#/$defs/";

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
        description: description(kind),
        owners: owners.into_iter().filter(|(owner, _)| kind.is_for(*owner)).map(|(_, name)| name).collect(),
        full_schema: schema(kind, rules),
        full_example: example(Form::Full)?,
        thin_schema: body::<ThinData<'static>>(kind, rules),
        thin_example: example(Form::Thin)?,
    })
}

fn description(kind: EventType) -> &'static str {
    match kind {
        EventType::ProductCreated => "There is a product that could not be seen before.",
        EventType::ProductUpdated => "A product that could be seen is another now.",
        EventType::ProductDeleted => "A product that could be seen is gone.",
        EventType::ModelChanged => "A version of a 3D model came, got further or went.",
        EventType::ModelDeleted => "A 3D model is gone.",
        EventType::CategoryCreated => "A category was made.",
        EventType::CategoryUpdated => "A category is another now.",
        EventType::CategoryDeleted => "A category is gone.",
        EventType::MemberJoined => "Somebody became a member of a seller account.",
        EventType::MemberChanged => "A member of a seller account has another role.",
        EventType::MemberLeft => "Somebody is no member of a seller account any more.",
        EventType::UserCreated => "Somebody signed up.",
        EventType::UserBanned => "Somebody is banned.",
        EventType::UserUnbanned => "Somebody is not banned any more.",
        EventType::UserDeleted => "Somebody was deleted.",
        EventType::EndpointDisabled => "An endpoint of the same owner was switched off because it failed, or is gone.",
        EventType::Test => "A test.",
    }
}

fn schema(kind: EventType, rules: &Rules) -> Value {
    match kind {
        EventType::ProductCreated | EventType::ProductUpdated | EventType::ProductDeleted => {
            body::<ProductNoticeView<'static>>(kind, rules)
        }
        EventType::ModelChanged | EventType::ModelDeleted => body::<ModelNoticeView<'static>>(kind, rules),
        EventType::CategoryCreated | EventType::CategoryUpdated | EventType::CategoryDeleted => {
            body::<CategoryData>(kind, rules)
        }
        EventType::MemberJoined | EventType::MemberChanged | EventType::MemberLeft => body::<MemberData>(kind, rules),
        EventType::UserCreated | EventType::UserBanned | EventType::UserUnbanned | EventType::UserDeleted => {
            body::<PersonData>(kind, rules)
        }
        EventType::EndpointDisabled | EventType::Test => body::<DisabledData>(kind, rules),
    }
}

/// The schema of a body whose data are these, with all that it refers to.
fn body<T: ToSchema>(kind: EventType, rules: &Rules) -> Value {
    #[derive(utoipa::OpenApi)]
    struct Empty;
    let name: Cow<'static, str> = T::name();
    let mut known = Vec::new();
    T::schemas(&mut known);
    known.push((name.to_string(), T::schema()));
    let mut document = Empty::openapi();
    document.components = Some(ComponentsBuilder::new().schemas_from_iter(known).build());
    forms::tell(&mut document, rules);
    let schemas = document.components.unwrap_or_default().schemas.into_iter();
    let parts: Map<String, Value> =
        schemas.map(|(name, schema)| (name, alone(serde_json::to_value(schema).unwrap_or_default()))).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.name(),
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": { "const": kind.name() },
            "timestamp": { "type": "string", "format": "date-time", "description": "When it happened." },
            "data": { "$ref": format!("{ALONE}{name}") },
        },
        "$defs": parts,
    })
}

/// The same with references into itself.
fn alone(mut schema: Value) -> Value {
    match &mut schema {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = alone(item.take())),
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                match value {
                    Value::String(text) if name == "$ref" => *text = text.replace(DOCUMENT, ALONE),
                    value => *value = alone(value.take()),
                }
            }
        }
        _ => {}
    }
    schema
}
