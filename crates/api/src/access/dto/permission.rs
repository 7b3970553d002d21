//! Permissions by name, as the document lists them.

use std::borrow::Cow;

use domain::Permissions;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{Object, Type},
    },
};

/// What somebody may be allowed to do.
#[derive(Debug)]
pub struct PermissionName;

impl PartialSchema for PermissionName {
    fn schema() -> RefOr<Schema> {
        names(Permissions::ALL, "What somebody may be allowed to do.")
    }
}

impl ToSchema for PermissionName {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Permission")
    }
}

/// What an API key may be for.
#[derive(Debug)]
pub struct ScopeName;

impl PartialSchema for ScopeName {
    fn schema() -> RefOr<Schema> {
        names(Permissions::ALL.without(Permissions::NOT_FOR_KEYS), "What an API key may be for.")
    }
}

impl ToSchema for ScopeName {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("KeyScope")
    }
}

fn names(of: Permissions, description: &str) -> RefOr<Schema> {
    Object::builder()
        .schema_type(Type::String)
        .enum_values(Some(of.names()))
        .description(Some(description))
        .examples(of.names().next())
        .into()
}
