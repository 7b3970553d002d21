//! What categories look like in JSON.

use chrono::{DateTime, Utc};
use domain::{
    catalog::{Category, CategoryInput, CategoryPatch, queries::CategoryCount},
    id::CategoryId,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::{Fields, Given};

/// A new category.
#[derive(Debug, ToSchema)]
#[schema(as = NewCategory)]
#[serde(rename_all = "camelCase")]
pub struct NewCategoryBody {
    /// Its name, unique among its siblings.
    #[schema(example = "Lamps", min_length = 1, max_length = 100, format = "name")]
    pub name: String,
    /// The category above it; none puts it at the top.
    pub parent_id: Option<Uuid>,
    /// Its place among its siblings; lower stands first.
    #[schema(example = 0, minimum = -2_147_483_648, maximum = 2_147_483_647)]
    pub rank: Option<i32>,
}

/// Reads a [`NewCategoryBody`].
pub fn new_category(fields: &mut Fields<'_>) -> CategoryInput {
    CategoryInput {
        name: fields.text("name"),
        parent: fields.uuid("parentId").map(CategoryId),
        rank: fields.small("rank"),
    }
}

/// A change of a category: what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(as = CategoryPatch)]
#[serde(rename_all = "camelCase")]
pub struct CategoryPatchBody {
    /// Another name.
    #[schema(example = "Lights", min_length = 1, max_length = 100, format = "name", nullable = false)]
    pub name: Option<String>,
    /// Another category above it; null moves it to the top.
    pub parent_id: Option<Uuid>,
    /// Another place among its siblings.
    #[schema(minimum = -2_147_483_648, maximum = 2_147_483_647, nullable = false)]
    pub rank: Option<i32>,
}

/// Reads a [`CategoryPatchBody`].
pub fn category_patch(fields: &mut Fields<'_>) -> CategoryPatch {
    fields.of_a_change();
    let mut patch = CategoryPatch::default();
    if let Some(name) = fields.text("name") {
        patch.name(&name, &mut fields.violations);
    }
    match fields.uuid_or_null("parentId") {
        Given::Absent => {}
        Given::Null => patch.parent(None),
        Given::Value(id) => patch.parent(Some(CategoryId(id))),
    }
    if let Some(rank) = fields.small("rank") {
        patch.rank(rank);
    }
    patch
}

/// A category.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Category)]
#[serde(rename_all = "camelCase")]
pub struct CategoryView<'a> {
    /// Its id.
    pub id: Uuid,
    /// The category above it.
    pub parent_id: Option<Uuid>,
    /// Its name.
    #[schema(example = "Lamps")]
    pub name: &'a str,
    /// Its name in URLs.
    #[schema(example = "lamps")]
    pub slug: &'a str,
    /// Its place among its siblings; lower stands first.
    #[schema(example = 0)]
    pub rank: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl<'a> From<&'a Category> for CategoryView<'a> {
    fn from(category: &'a Category) -> Self {
        Self {
            id: category.id.0,
            parent_id: category.parent.map(|parent| parent.0),
            name: &category.name,
            slug: &category.slug,
            rank: category.rank,
            created_at: category.created_at,
            updated_at: category.updated_at,
        }
    }
}

/// A category with how many products are in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CategoryCount)]
#[serde(rename_all = "camelCase")]
pub struct CategoryCountView<'a> {
    /// The category.
    #[serde(flatten)]
    pub category: CategoryView<'a>,
    /// Published products directly in it.
    #[schema(example = 12, minimum = 0)]
    pub product_count: u64,
}

impl<'a> From<&'a CategoryCount> for CategoryCountView<'a> {
    fn from(counted: &'a CategoryCount) -> Self {
        Self { category: CategoryView::from(&counted.category), product_count: counted.products }
    }
}

/// The whole tree.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CategoryTree)]
pub struct TreeView<'a> {
    /// Every category: parents before children, siblings by rank, then name.
    pub items: Vec<CategoryCountView<'a>>,
}
