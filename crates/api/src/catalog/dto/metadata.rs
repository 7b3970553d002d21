//! Metadata as JSON: an object of any content but U+0000, which databases cannot store.

use std::borrow::Cow;

use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{AdditionalProperties, AnyOf, Array, Object, Type},
    },
};

/// What else there is to say of a product.
#[derive(Debug)]
pub struct Metadata;

impl PartialSchema for Metadata {
    fn schema() -> RefOr<Schema> {
        Object::builder()
            .schema_type(Type::Object)
            .description(Some(
                "What else there is to say: at most 16384 bytes as JSON, nested at most 100 levels deep.",
            ))
            .property_names(Some(text()))
            .additional_properties(Some(AdditionalProperties::from(Ref::from_schema_name(MetadataValue::name()))))
            .examples([json!({ "colour": "green" })])
            .into()
    }
}

impl ToSchema for Metadata {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Metadata")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((MetadataValue::name().into_owned(), MetadataValue::schema()));
    }
}

/// A value of metadata, at any depth.
struct MetadataValue;

impl PartialSchema for MetadataValue {
    fn schema() -> RefOr<Schema> {
        let of_type = |kind| Object::builder().schema_type(kind);
        AnyOf::builder()
            .item(of_type(Type::Null))
            .item(of_type(Type::Boolean))
            .item(of_type(Type::Number))
            .item(text())
            .item(Array::new(Ref::from_schema_name(Self::name())))
            .item(Ref::from_schema_name(Metadata::name()))
            .description(Some("A value of metadata, at any depth."))
            .into()
    }
}

impl ToSchema for MetadataValue {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("MetadataValue")
    }
}

fn text() -> Schema {
    Object::builder().schema_type(Type::String).pattern(Some(r"^[^\x00]*$")).into()
}
