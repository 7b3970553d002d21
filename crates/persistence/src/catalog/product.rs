//! Products, write side.

use async_trait::async_trait;
use domain::{
    Error, Result,
    catalog::{
        Product, Slug,
        ports::{ProductRepo, Stored},
    },
    clock::Timestamp,
    id::{CategoryId, ProductId, SellerId},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::product_row::{image_rows, product as from_rows, row, search_text};
use crate::{
    entity::{product, product_image, product_slug_history as history},
    error,
    statement::{all, at, execute, one, placeholders, statement},
    tx::SeaTx,
};

/// Rows per statement of a bulk insert: 19 columns each, inside SQLite's 32,766 parameters.
const BULK: usize = 500;

#[async_trait]
impl ProductRepo for SeaTx {
    async fn insert(&mut self, new: &mut Product) -> Result<Stored> {
        let otherwise = new.slug.with_suffix(new.id.0);
        let Some(slug) = self.store_new(new, &otherwise).await? else {
            // Who had the slug or sku a statement ago may have been deleted since: then it is free, and we try again.
            let came_free = || Error::Transient("a slug or sku came free just now".into());
            return self.taken(new, &otherwise).await?.ok_or_else(came_free);
        };
        new.slug = slug;
        Ok(Stored::Yes)
    }

    async fn find(&mut self, id: ProductId) -> Result<Option<Product>> {
        let Some(row) = product::Entity::find_by_id(id.0).one(&self.tx).await.map_err(error::of)? else {
            return Ok(None);
        };
        let images = self.images_of(&[id.0]).await?;
        from_rows(row, images).map(Some)
    }

    async fn find_many(&mut self, ids: &[ProductId]) -> Result<Vec<Product>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        self.live_where(Condition::all().add(product::Column::Id.is_in(ids))).await
    }

    async fn by_sku(&mut self, seller: SellerId, skus: &[String]) -> Result<Vec<Product>> {
        let these = Condition::all()
            .add(product::Column::SellerId.eq(seller.0))
            .add(product::Column::Sku.is_in(skus.iter().map(String::as_str)));
        self.live_where(these).await
    }

    async fn update(&mut self, new: &Product, old: &Product) -> Result<Stored> {
        let deleted = new.deleted;
        let asks_for_names = deleted.is_none()
            && (old.deleted.is_some() || new.slug != old.slug || new.sku != old.sku || new.seller != old.seller);
        // Asked before the write, which would otherwise end the transaction on PostgreSQL.
        if asks_for_names && let Some(taken) = self.taken(new, &new.slug).await? {
            return Ok(taken);
        }
        let changed = product::Entity::update_many()
            .col_expr(product::Column::CategoryId, Expr::value(new.category.map(|category| category.0)))
            .col_expr(product::Column::Sku, Expr::value(new.sku.clone()))
            .col_expr(product::Column::Name, Expr::value(new.name.clone()))
            .col_expr(product::Column::Slug, Expr::value(new.slug.to_string()))
            .col_expr(product::Column::Description, Expr::value(new.description.clone()))
            .col_expr(product::Column::PriceMinor, Expr::value(new.price.0))
            .col_expr(product::Column::Status, Expr::value(new.status.name()))
            .col_expr(product::Column::Metadata, Expr::value(serde_json::Value::Object(new.metadata.clone())))
            .col_expr(product::Column::SearchText, Expr::value(search_text(new)))
            .col_expr(product::Column::Version, Expr::value(new.version.0))
            .col_expr(product::Column::UpdatedAt, Expr::value(new.updated_at))
            .col_expr(product::Column::DeletedAt, Expr::value(deleted.map(|deleted| deleted.at)))
            .col_expr(product::Column::DeletedBy, Expr::value(deleted.map(|deleted| deleted.by.0)))
            .filter(product::Column::Id.eq(new.id.0))
            .filter(product::Column::Version.eq(old.version.0))
            .exec(&self.tx)
            .await
            .map_err(error::of);
        // Two writers may have taken the same free slug at once; the second attempt will see it taken.
        let changed = changed.map_err(again_when_unique)?;
        if changed.rows_affected == 0 {
            return Err(Error::Stale("Product"));
        }
        if old.slug != new.slug {
            self.remember_slug(&old.slug, new).await?;
        }
        if old.images != new.images {
            self.replace_images(new).await?;
        }
        Ok(Stored::Yes)
    }

    async fn add_stock(
        &mut self,
        id: ProductId,
        delta: i64,
        expected: Option<i64>,
        moment: Timestamp,
    ) -> Result<Option<i64>> {
        let mut sql = "UPDATE products SET stock = stock + $2, updated_at = $3 \
                       WHERE id = $1 AND deleted_at IS NULL AND $2 BETWEEN -stock AND 2147483647 - stock"
            .to_owned();
        let mut values = vec![id.0.into(), delta.into(), moment.into()];
        if let Some(expected) = expected {
            sql.push_str(" AND stock = $4");
            values.push(expected.into());
        }
        sql.push_str(" RETURNING stock");
        let row = one(&self.tx, statement(self.engine, sql, values)).await?;
        row.map(|row| at(&row, 0)).transpose()
    }

    async fn add_rating(&mut self, id: ProductId, sum: i64, count: i64) -> Result<()> {
        let sql = "UPDATE products SET rating_sum = rating_sum + $2, rating_count = rating_count + $3 WHERE id = $1";
        execute(&self.tx, statement(self.engine, sql, [id.0.into(), sum.into(), count.into()])).await.map(|_| ())
    }

    async fn move_category(
        &mut self,
        from: CategoryId,
        to: Option<CategoryId>,
        moment: Timestamp,
    ) -> Result<Vec<ProductId>> {
        let sql = "UPDATE products SET category_id = $2, version = version + 1, updated_at = $3 WHERE category_id = $1 \
                   RETURNING id, deleted_at IS NULL";
        let values = [from.0.into(), to.map(|to| to.0).into(), moment.into()];
        let rows = all(&self.tx, statement(self.engine, sql, values)).await?;
        let mut moved = Vec::with_capacity(rows.len());
        for row in &rows {
            if at::<bool>(row, 1)? {
                moved.push(ProductId(at(row, 0)?));
            }
        }
        Ok(moved)
    }

    async fn any_in(&mut self, category: CategoryId) -> Result<bool> {
        let found = product::Entity::find()
            .filter(product::Column::CategoryId.eq(category.0))
            .filter(product::Column::DeletedAt.is_null())
            .limit(1)
            .count(&self.tx)
            .await
            .map_err(error::of)?;
        Ok(found > 0)
    }

    async fn purge(&mut self, before: Timestamp, limit: u32) -> Result<Vec<ProductId>> {
        let sql = "DELETE FROM products WHERE id IN (SELECT id FROM products WHERE deleted_at < $1 ORDER BY deleted_at LIMIT $2) \
                   RETURNING id";
        let rows = all(&self.tx, statement(self.engine, sql, [before.into(), i64::from(limit).into()])).await?;
        rows.iter().map(|row| at(row, 0).map(ProductId)).collect()
    }

    async fn insert_many(&mut self, products: &[Product]) -> Result<()> {
        for chunk in products.chunks(BULK) {
            let stored = product::Entity::insert_many(chunk.iter().map(row))
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(&self.tx)
                .await
                .map_err(error::of)?;
            if usize::try_from(stored).unwrap_or_default() != chunk.len() {
                return Err(Error::conflict("A slug or sku of these products is taken; retry"));
            }
            self.insert_images(chunk).await?;
        }
        Ok(())
    }

    async fn taken_slugs(&mut self, slugs: &[Slug]) -> Result<Vec<Slug>> {
        if slugs.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT slug FROM products WHERE deleted_at IS NULL AND slug IN ({})",
            placeholders(1, slugs.len())
        );
        let rows = all(&self.tx, statement(self.engine, sql, slugs.iter().map(|slug| slug.as_str().into()))).await?;
        rows.iter().map(|row| at::<String>(row, 0).map(Slug::stored)).collect()
    }
}

impl SeaTx {
    /// Whether another product that is not deleted has the sku, within the seller, or the slug.
    async fn taken(&self, new: &Product, slug: &Slug) -> Result<Option<Stored>> {
        // Two questions, one for each index: as one with OR, SQLite reads the whole table.
        let sql = "SELECT EXISTS (SELECT 1 FROM products \
                   WHERE seller_id = $3 AND sku = $4 AND sku IS NOT NULL AND deleted_at IS NULL AND id <> $1), \
                   EXISTS (SELECT 1 FROM products WHERE slug = $2 AND deleted_at IS NULL AND id <> $1)";
        let values = [new.id.0.into(), slug.as_str().into(), new.seller.0.into(), new.sku.clone().into()];
        let Some(row) = one(&self.tx, statement(self.engine, sql, values)).await? else { return Ok(None) };
        Ok(match (at(&row, 0)?, at(&row, 1)?) {
            (true, _) => Some(Stored::SkuTaken),
            (false, true) => Some(Stored::SlugTaken),
            (false, false) => None,
        })
    }

    async fn live_where(&self, these: Condition) -> Result<Vec<Product>> {
        let rows = product::Entity::find()
            .filter(these)
            .filter(product::Column::DeletedAt.is_null())
            .all(&self.tx)
            .await
            .map_err(error::of)?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut images = std::collections::HashMap::<Uuid, Vec<product_image::Model>>::new();
        for image in self.images_of(&ids).await? {
            images.entry(image.product_id).or_default().push(image);
        }
        rows.into_iter()
            .map(|row| {
                let images = images.remove(&row.id).unwrap_or_default();
                from_rows(row, images)
            })
            .collect()
    }

    async fn images_of(&self, products: &[Uuid]) -> Result<Vec<product_image::Model>> {
        if products.is_empty() {
            return Ok(Vec::new());
        }
        product_image::Entity::find()
            .filter(product_image::Column::ProductId.is_in(products.iter().copied()))
            .order_by_asc(product_image::Column::Position)
            .all(&self.tx)
            .await
            .map_err(error::of)
    }

    pub(super) async fn insert_images(&self, products: &[Product]) -> Result<()> {
        let rows: Vec<_> = products.iter().flat_map(image_rows).collect();
        if rows.is_empty() {
            return Ok(());
        }
        product_image::Entity::insert_many(rows).exec_without_returning(&self.tx).await.map(|_| ()).map_err(error::of)
    }

    async fn replace_images(&self, product: &Product) -> Result<()> {
        product_image::Entity::delete_many()
            .filter(product_image::Column::ProductId.eq(product.id.0))
            .exec(&self.tx)
            .await
            .map_err(error::of)?;
        self.insert_images(std::slice::from_ref(product)).await
    }

    /// Keeps the old slug as a way to the product; the new one is no longer history of anybody.
    async fn remember_slug(&self, old: &Slug, new: &Product) -> Result<()> {
        history::Entity::delete_by_id(new.slug.to_string()).exec(&self.tx).await.map_err(error::of)?;
        let row = history::ActiveModel {
            slug: Set(old.to_string()),
            product_id: Set(new.id.0),
            created_at: Set(new.updated_at),
        };
        history::Entity::insert(row)
            .on_conflict(
                OnConflict::column(history::Column::Slug)
                    .update_columns([history::Column::ProductId, history::Column::CreatedAt])
                    .to_owned(),
            )
            .exec_without_returning(&self.tx)
            .await
            .map(|_| ())
            .map_err(error::of)
    }
}

/// A unique index that was free a statement ago: the whole attempt is run again.
fn again_when_unique(error: Error) -> Error {
    match error {
        Error::Internal(source) if source.downcast_ref::<sea_orm::DbErr>().is_some_and(|e| e.sql_err().is_some()) => {
            Error::Transient(source)
        }
        other => other,
    }
}
