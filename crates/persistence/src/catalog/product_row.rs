//! A product between its row and its type.

use domain::{
    Error, Result,
    assets::image::Picture,
    catalog::{Image, Product, ProductStatus, Rating, Slug, Version},
    id::{CategoryId, ImageId, ProductId, SellerId, UserId},
    money::Amount,
    text,
};
use sea_orm::QueryResult;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    entity::{product, product_image},
    statement::at,
};

/// The columns [`read`] expects, in order, of the table alias `p`.
pub(super) const COLUMNS: &str = "p.id, p.seller_id, p.category_id, p.sku, p.name, p.slug, p.description, p.price_minor, p.stock, \
     p.status, p.metadata, p.rating_sum, p.rating_count, p.version, p.created_at, p.updated_at, p.deleted_at, p.deleted_by";
/// How many they are.
pub(super) const WIDTH: usize = 18;

/// Reads a product, without its pictures, from a row that has [`COLUMNS`] from `first` on.
pub(super) fn read(row: &QueryResult, first: usize) -> Result<Product> {
    let deleted_at: Option<chrono::DateTime<chrono::Utc>> = at(row, first + 16)?;
    let deleted_by: Option<Uuid> = at(row, first + 17)?;
    Ok(Product {
        id: ProductId(at(row, first)?),
        seller: SellerId(at(row, first + 1)?),
        category: at::<Option<Uuid>>(row, first + 2)?.map(CategoryId),
        sku: at(row, first + 3)?,
        name: at(row, first + 4)?,
        slug: Slug::stored(at::<String>(row, first + 5)?),
        description: at(row, first + 6)?,
        price: Amount(at(row, first + 7)?),
        stock: at(row, first + 8)?,
        status: status(&at::<String>(row, first + 9)?)?,
        metadata: object(at(row, first + 10)?),
        images: Vec::new(),
        rating: Rating { sum: at(row, first + 11)?, count: at(row, first + 12)? },
        version: Version(at(row, first + 13)?),
        created_at: at(row, first + 14)?,
        updated_at: at(row, first + 15)?,
        deleted: deletion(deleted_at, deleted_by),
    })
}

/// A product with its pictures, from entity rows.
pub(super) fn product(row: product::Model, images: Vec<product_image::Model>) -> Result<Product> {
    Ok(Product {
        id: ProductId(row.id),
        seller: SellerId(row.seller_id),
        category: row.category_id.map(CategoryId),
        sku: row.sku,
        name: row.name,
        slug: Slug::stored(row.slug),
        description: row.description,
        price: Amount(row.price_minor),
        stock: row.stock,
        status: status(&row.status)?,
        metadata: object(row.metadata),
        images: images.into_iter().map(image).collect::<Result<_>>()?,
        rating: Rating { sum: row.rating_sum, count: row.rating_count },
        version: Version(row.version),
        created_at: row.created_at,
        updated_at: row.updated_at,
        deleted: deletion(row.deleted_at, row.deleted_by),
    })
}

/// What the full-text index holds of a product.
pub(super) fn search_text(product: &Product) -> String {
    text::search_text(&[&product.name, &product.description])
}

/// A picture from its row.
pub(super) fn image(row: product_image::Model) -> Result<Image> {
    Ok(Image { id: ImageId(row.id), url: row.url, alt: row.alt, picture: read_picture(row.picture)? })
}

/// What is kept of an uploaded picture, as it lies in its row.
pub(super) fn picture_text(image: &Image) -> Option<String> {
    // Made of plain values: writing them to memory cannot fail.
    image.picture.as_ref().map(|picture| serde_json::to_string(picture).unwrap_or_default())
}

/// What is kept of an uploaded picture.
pub(crate) fn read_picture(text: Option<String>) -> Result<Option<Box<Picture>>> {
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(Error::internal)
}

fn status(name: &str) -> Result<ProductStatus> {
    ProductStatus::named(name).ok_or_else(|| Error::internal(format!("unknown product status {name:?}")))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn deletion(at: Option<chrono::DateTime<chrono::Utc>>, by: Option<Uuid>) -> Option<domain::catalog::Deleted> {
    Some(domain::catalog::Deleted { at: at?, by: by.map_or(UserId(Uuid::nil()), UserId) })
}
