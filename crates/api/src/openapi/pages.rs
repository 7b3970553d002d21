//! Pages refer to the schema of their items: what derives the schemas writes the items out in each page.

use utoipa::openapi::{
    Ref, RefOr, Schema,
    schema::{ArrayItems, Components},
};

/// Puts a reference in the place of the items of each `PageView_<Item>`.
pub fn refer(components: &mut Components) {
    let names: Vec<String> = components.schemas.keys().cloned().collect();
    for (name, schema) in &mut components.schemas {
        let Some(item) = name.strip_prefix("PageView_").filter(|item| names.iter().any(|name| name == item)) else {
            continue;
        };
        if let RefOr::T(Schema::Object(page)) = schema
            && let Some(RefOr::T(Schema::Array(items))) = page.properties.get_mut("items")
        {
            items.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(item).into()));
        }
    }
}
