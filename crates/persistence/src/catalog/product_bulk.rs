//! Products and pictures as they are stored in bulk.

use domain::{
    catalog::{Image, Product},
    clock::Timestamp,
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use uuid::fmt::Simple;

use super::product_row::{picture_text, search_text};
use crate::bulk::{
    Kind::{Id, Json, Number, Text, Time},
    Table, hex, time,
};

pub(super) const PRODUCTS: Table = Table {
    name: "products",
    columns: &[
        ("id", Id),
        ("seller_id", Id),
        ("category_id", Id),
        ("sku", Text),
        ("name", Text),
        ("slug", Text),
        ("description", Text),
        ("price_minor", Number),
        ("stock", Number),
        ("status", Text),
        ("metadata", Json),
        ("search_text", Text),
        ("rating_sum", Number),
        ("rating_count", Number),
        ("version", Number),
        ("created_at", Time),
        ("updated_at", Time),
    ],
};

pub(super) const IMAGES: Table = Table {
    name: "product_images",
    columns: &[("id", Id), ("product_id", Id), ("url", Text), ("alt", Text), ("position", Number), ("picture", Text)],
};

/// A row of [`PRODUCTS`]: of a new product, so that it is not deleted.
#[derive(Serialize)]
pub(super) struct ProductRow<'a> {
    id: Simple,
    seller_id: Simple,
    category_id: Option<Simple>,
    sku: Option<&'a str>,
    name: &'a str,
    slug: &'a str,
    description: &'a str,
    price_minor: i64,
    stock: i64,
    status: &'a str,
    metadata: &'a Map<String, Value>,
    #[serde(serialize_with = "searchable")]
    search_text: &'a Product,
    rating_sum: i64,
    rating_count: i64,
    version: i64,
    #[serde(serialize_with = "time")]
    created_at: Timestamp,
    #[serde(serialize_with = "time")]
    updated_at: Timestamp,
}

impl<'a> ProductRow<'a> {
    pub(super) fn of(product: &'a Product) -> Self {
        Self {
            id: hex(product.id),
            seller_id: hex(product.seller),
            category_id: product.category.map(hex),
            sku: product.sku.as_deref(),
            name: &product.name,
            slug: product.slug.as_str(),
            description: &product.description,
            price_minor: product.price.0,
            stock: product.stock,
            status: product.status.name(),
            metadata: &product.metadata,
            search_text: product,
            rating_sum: product.rating.sum,
            rating_count: product.rating.count,
            version: product.version.0,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

/// Folded only when it is written down, so that the database need not wait for the folding of all.
fn searchable<S: Serializer>(product: &Product, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&search_text(product))
}

/// A row of [`IMAGES`].
#[derive(Serialize)]
pub(super) struct ImageRow<'a> {
    id: Simple,
    product_id: Simple,
    url: &'a str,
    alt: Option<&'a str>,
    position: i32,
    picture: Option<String>,
}

impl<'a> ImageRow<'a> {
    pub(super) fn of(product: &'a Product) -> impl Iterator<Item = Self> {
        let row = |(image, position): (&'a Image, i32)| Self {
            id: hex(image.id),
            product_id: hex(product.id),
            url: &image.url,
            alt: image.alt.as_deref(),
            position,
            picture: picture_text(image),
        };
        product.images.iter().zip(0_i32..).map(row)
    }
}
