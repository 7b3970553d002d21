//! Walking all products.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use domain::{
    Result,
    catalog::{Product, export::ProductExport},
    id::{ProductId, SellerId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::product_row::product as from_rows;
use crate::{
    database::Database,
    entity::{product, product_image},
    error,
};

impl Database {
    /// The whole catalogue, in order.
    pub fn export(&self) -> Arc<dyn ProductExport> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl ProductExport for Database {
    async fn next(&self, seller: Option<SellerId>, after: Option<ProductId>, limit: u32) -> Result<Vec<Product>> {
        let mut found = product::Entity::find().filter(product::Column::DeletedAt.is_null());
        if let Some(seller) = seller {
            found = found.filter(product::Column::SellerId.eq(seller.0));
        }
        if let Some(after) = after {
            found = found.filter(product::Column::Id.gt(after.0));
        }
        let rows = found.order_by_asc(product::Column::Id).limit(u64::from(limit)).all(&self.reader).await;
        let rows = rows.map_err(error::of)?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
        let images = product_image::Entity::find()
            .filter(product_image::Column::ProductId.gte(first.id))
            .filter(product_image::Column::ProductId.lte(last.id))
            .order_by_asc(product_image::Column::Position)
            .all(&self.reader)
            .await
            .map_err(error::of)?;
        let mut of_product = HashMap::<Uuid, Vec<product_image::Model>>::new();
        for image in images {
            of_product.entry(image.product_id).or_default().push(image);
        }
        rows.into_iter()
            .map(|row| {
                let images = of_product.remove(&row.id).unwrap_or_default();
                from_rows(row, images)
            })
            .collect()
    }
}
