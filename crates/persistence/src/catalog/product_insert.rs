//! Storing one new product with its pictures, in one round trip.

use std::fmt::Write as _;

use domain::{
    Result,
    catalog::{Product, Slug},
};
use sea_orm::Value;

use super::{
    product::again_when_broken,
    product_row::{picture_text, search_text},
};
use crate::{
    engine::Engine,
    statement::{all, at, placeholders, statement},
    tx::SeaTx,
};

/// The product, under `$20` when another one has its slug; no row when a sku or that slug is taken too, or there is no
/// such category.
const PRODUCT: &str = "INSERT INTO products (id, seller_id, category_id, sku, name, slug, description, price_minor, stock, status, \
     metadata, search_text, rating_sum, rating_count, version, created_at, updated_at, deleted_at, deleted_by) \
     SELECT $1, $2, $3, $4, $5, \
     CASE WHEN EXISTS (SELECT 1 FROM products WHERE slug = $6 AND deleted_at IS NULL) THEN $20 ELSE $6 END, \
     $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19 \
     WHERE $3 IS NULL OR EXISTS (SELECT 1 FROM categories WHERE id = $3) ON CONFLICT DO NOTHING RETURNING slug";
/// How many values that takes.
const WIDTH: usize = 20;

impl SeaTx {
    /// Stores a product with its pictures and gives the slug it got; `None`, and nothing stored, when a slug, sku or id
    /// is taken or the category is not there.
    pub(super) async fn store_new(&self, new: &Product, otherwise: &Slug) -> Result<Option<Slug>> {
        let mut values = values(new, otherwise);
        let pictures = if new.images.is_empty() { None } else { Some(pictures(new, &mut values)) };
        let sql = match (self.engine, pictures) {
            (_, None) => PRODUCT.to_owned(),
            (Engine::Sqlite, Some(rows)) => format!(
                "{PRODUCT}; INSERT INTO product_images (id, url, alt, position, picture, product_id) \
                 SELECT v.*, p.id FROM products p, (VALUES {rows}) v WHERE p.id = $1"
            ),
            // The foreign key is looked at when the statement ends, and then finds the product.
            (Engine::Postgres, Some(rows)) => format!(
                "WITH p AS ({PRODUCT}, id), i AS (INSERT INTO product_images (id, url, alt, position, picture, product_id) \
                 SELECT v.*, p.id FROM p, (VALUES {rows}) v) SELECT slug FROM p"
            ),
        };
        // All of them, although there is one at most: only then SQLite gets to the second statement.
        let stored = all(&self.tx, statement(self.engine, sql, values)).await.map_err(again_when_broken)?;
        stored.first().map(|row| at::<String>(row, 0).map(Slug::stored)).transpose()
    }
}

fn values(product: &Product, otherwise: &Slug) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::with_capacity(WIDTH + 5 * product.images.len());
    values.extend([
        product.id.0.into(),
        product.seller.0.into(),
        product.category.map(|category| category.0).into(),
        product.sku.clone().into(),
        product.name.clone().into(),
        product.slug.as_str().into(),
        product.description.clone().into(),
        product.price.0.into(),
        product.stock.into(),
        product.status.name().into(),
        serde_json::Value::Object(product.metadata.clone()).into(),
        search_text(product).into(),
        product.rating.sum.into(),
        product.rating.count.into(),
        product.version.0.into(),
        product.created_at.into(),
        product.updated_at.into(),
        product.deleted.map(|deleted| deleted.at).into(),
        product.deleted.map(|deleted| deleted.by.0).into(),
        otherwise.as_str().into(),
    ]);
    values
}

/// Adds the values of the pictures, and gives the rows of placeholders for them.
fn pictures(product: &Product, values: &mut Vec<Value>) -> String {
    let mut rows = String::new();
    for (image, position) in product.images.iter().zip(0_i32..) {
        let comma = if rows.is_empty() { "" } else { ", " };
        let _ = write!(rows, "{comma}({})", placeholders(values.len() + 1, 5));
        let picture = picture_text(image);
        let (url, alt) = (image.url.clone(), image.alt.clone());
        values.extend([image.id.0.into(), url.into(), alt.into(), position.into(), picture.into()]);
    }
    rows
}
