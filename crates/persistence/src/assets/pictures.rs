//! Uploaded pictures, read side.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    assets::image::{Key, Picture, ports::PictureQueries},
    id::ProductId,
};
use uuid::Uuid;

use crate::{
    catalog::read_picture,
    database::Database,
    statement::{all, at, one, statement},
};

/// Whatever comes before all ids.
const FIRST: Uuid = Uuid::nil();

impl Database {
    /// The read side of uploaded pictures.
    pub fn pictures(&self) -> Arc<dyn PictureQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl PictureQueries for Database {
    async fn find(&self, product: ProductId, key: &Key) -> Result<Option<Picture>> {
        let sql = format!(
            "SELECT i.picture FROM product_images i JOIN products p ON p.id = i.product_id \
             WHERE i.product_id = $1 AND p.deleted_at IS NULL AND i.picture IS NOT NULL AND {} = $2",
            self.engine.pick("i.picture ->> 'key'", "i.picture::jsonb ->> 'key'")
        );
        let row = one(&self.reader, statement(self.engine, sql, [product.0.into(), key.as_str().into()])).await?;
        Ok(row.map(|row| at(&row, 0).and_then(read_picture)).transpose()?.flatten().map(|picture| *picture))
    }

    async fn outdated(&self, recipe: &str, after: Option<ProductId>, limit: u32) -> Result<Vec<ProductId>> {
        let sql = format!(
            "SELECT DISTINCT i.product_id FROM product_images i JOIN products p ON p.id = i.product_id \
             WHERE i.picture IS NOT NULL AND {} <> $1 AND i.product_id > $2 AND p.deleted_at IS NULL \
             ORDER BY i.product_id LIMIT $3",
            self.engine.pick("i.picture ->> 'recipe'", "i.picture::jsonb ->> 'recipe'")
        );
        let values = [recipe.into(), after.map_or(FIRST, |after| after.0).into(), i64::from(limit).into()];
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        rows.iter().map(|row| at(row, 0).map(ProductId)).collect()
    }
}
