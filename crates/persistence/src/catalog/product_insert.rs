//! Storing one new product with its pictures.

use std::fmt::Write as _;

use domain::{Result, catalog::Product};
use sea_orm::{EntityTrait, QueryTrait, Value, sea_query::OnConflict};

use super::product_row::row;
use crate::{
    engine::Engine,
    entity::product,
    error,
    statement::{count, one, placeholders, statement},
    tx::SeaTx,
};

impl SeaTx {
    /// Stores a product with its pictures; `false`, and nothing stored, when a slug, sku or id is taken.
    pub(super) async fn store_new(&self, new: &Product) -> Result<bool> {
        let insert = product::Entity::insert(row(new)).on_conflict(OnConflict::new().do_nothing().to_owned());
        match self.engine {
            Engine::Sqlite => {
                let stored = insert.exec_without_returning(&self.tx).await.map_err(error::of)?;
                if stored > 0 {
                    self.insert_images(std::slice::from_ref(new)).await?;
                }
                Ok(stored > 0)
            }
            // The database may be a network away: one round trip for the product and its pictures.
            Engine::Postgres => {
                let insert = insert.build(self.engine.backend());
                let mut values = insert.values.map(|values| values.0).unwrap_or_default();
                let mut sql = format!("WITH p AS ({} RETURNING id)", insert.sql);
                if !new.images.is_empty() {
                    let rows = with_pictures(new, &mut values);
                    // The foreign key is looked at when the statement ends, and then finds the product.
                    let _ = write!(
                        sql,
                        ", i AS (INSERT INTO product_images (id, product_id, url, alt, position) \
                         SELECT v.id, p.id, v.url, v.alt, v.position FROM p, (VALUES {rows}) v (id, url, alt, position))"
                    );
                }
                sql.push_str(" SELECT count(*) FROM p");
                let row = one(&self.tx, statement(self.engine, sql, values)).await?;
                Ok(row.map_or(Ok(0), |row| count(&row, 0))? > 0)
            }
        }
    }
}

/// Adds the values of the pictures, and gives the rows of placeholders for them.
fn with_pictures(product: &Product, values: &mut Vec<Value>) -> String {
    let mut rows = Vec::with_capacity(product.images.len());
    for (image, position) in product.images.iter().zip(0_i32..) {
        rows.push(format!("({})", placeholders(values.len() + 1, 4)));
        values.extend([image.id.0.into(), image.url.clone().into(), image.alt.clone().into(), position.into()]);
    }
    rows.join(", ")
}
