//! The schemas of what is sent.

use domain::{
    shop::Rules,
    webhooks::{EventType, Form},
};
use serde_json::{Map, Value, json};
use utoipa::{
    OpenApi as _, ToSchema,
    openapi::{ComponentsBuilder, RefOr, Schema},
};

use super::data::{CategoryData, DisabledData, MemberData, PersonData, TestData, ThinData};
use crate::{
    openapi::forms,
    stream::{ModelNoticeView, ProductNoticeView},
};

/// Where schemas refer to each other in a document, and where in one that stands alone.
const DOCUMENT: &str = "#/components/schemas/";
const ALONE: &str = "#/$defs/";

/// The schema of some data: its name, and all that it stands on, itself included.
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
}

/// What a type tells.
pub(crate) fn description(kind: EventType) -> &'static str {
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

/// The schema of the data of a type.
pub(crate) fn parts(kind: EventType, form: Form) -> Parts {
    if kind == EventType::Test {
        return of::<TestData>();
    }
    if form == Form::Thin {
        return of::<ThinData<'static>>();
    }
    match kind {
        EventType::ProductCreated | EventType::ProductUpdated | EventType::ProductDeleted => {
            of::<ProductNoticeView<'static>>()
        }
        EventType::ModelChanged | EventType::ModelDeleted => of::<ModelNoticeView<'static>>(),
        EventType::CategoryCreated | EventType::CategoryUpdated | EventType::CategoryDeleted => of::<CategoryData>(),
        EventType::MemberJoined | EventType::MemberChanged | EventType::MemberLeft => of::<MemberData>(),
        EventType::UserCreated | EventType::UserBanned | EventType::UserUnbanned | EventType::UserDeleted => {
            of::<PersonData>()
        }
        EventType::EndpointDisabled | EventType::Test => of::<DisabledData>(),
    }
}

fn of<T: ToSchema>() -> Parts {
    let (name, mut schemas) = (T::name().into_owned(), Vec::new());
    T::schemas(&mut schemas);
    schemas.push((name.clone(), T::schema()));
    Parts { name, schemas }
}

/// The schema of a whole body, which stands alone.
pub(super) fn body(kind: EventType, form: Form, rules: &Rules) -> Value {
    #[derive(utoipa::OpenApi)]
    struct Empty;
    let Parts { name, schemas } = parts(kind, form);
    let mut document = Empty::openapi();
    document.components = Some(ComponentsBuilder::new().schemas_from_iter(schemas).build());
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
