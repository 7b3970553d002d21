//! What stands around a product as JSON: its pictures and its category.

use domain::catalog::{Image, queries::CategoryRef};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A picture.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Image)]
pub struct ImageView<'a> {
    /// Its id.
    pub id: Uuid,
    /// Where it is.
    #[schema(example = "https://example.com/lamp.jpg")]
    pub url: &'a str,
    /// What it shows.
    pub alt: Option<&'a str>,
}

impl<'a> From<&'a Image> for ImageView<'a> {
    fn from(image: &'a Image) -> Self {
        Self { id: image.id.0, url: &image.url, alt: image.alt.as_deref() }
    }
}

/// A category named beside a product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CategoryRef)]
pub struct CategoryRefView<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[schema(example = "Lamps")]
    pub name: &'a str,
    /// Its name in URLs.
    #[schema(example = "lamps")]
    pub slug: &'a str,
}

impl<'a> From<&'a CategoryRef> for CategoryRefView<'a> {
    fn from(category: &'a CategoryRef) -> Self {
        Self { id: category.id.0, name: &category.name, slug: &category.slug }
    }
}
