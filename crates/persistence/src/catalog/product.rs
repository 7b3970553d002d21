//! Products, write side.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::{
    Error, Result,
    catalog::{
        Image, Product, Slug,
        ports::{ProductRepo, Stored},
    },
    clock::Timestamp,
    id::{CategoryId, ProductId, SellerId},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, Value,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{
    product_bulk::{IMAGES, ImageRow, PRODUCTS, ProductRow},
    product_row::{COLUMNS, image, product as from_rows, read, search_text},
};
use crate::{
    bulk,
    engine::Engine,
    entity::{product, product_image, product_slug_history as history},
    error,
    statement::{all, at, execute, one, statement},
    tx::SeaTx,
};

#[async_trait]
impl ProductRepo for SeaTx {
    async fn insert(&mut self, new: &mut Product) -> Result<Stored> {
        let otherwise = new.slug.with_suffix(new.id.0);
        let mut stored = self.store_new(new, &otherwise).await?;
        if stored.is_none() {
            if self.no_category(new).await? {
                return Ok(Stored::NoCategory);
            }
            if let Some(refused) = self.taken(new, &otherwise).await? {
                return Ok(refused);
            }
            // Somebody took the slug meanwhile, or had it and gave it back; nobody has the other one.
            let other = Product { slug: otherwise.clone(), ..new.clone() };
            stored = self.store_new(&other, &otherwise).await?;
        }
        // What stood in the way both times has gone since.
        let slug = stored.ok_or_else(|| Error::Transient("a slug or sku came free just now".into()))?;
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
        let ids: Vec<_> = ids.iter().map(|id| bulk::hex(*id)).collect();
        let wanted = bulk::ids(self.engine, 1);
        self.wanted(&wanted, "p.id = wanted.v AND p.deleted_at IS NULL", vec![bulk::json(&ids)?]).await
    }

    async fn by_sku(&mut self, seller: SellerId, skus: &[String]) -> Result<Vec<Product>> {
        let these = "p.seller_id = $1 AND p.sku = wanted.v AND p.deleted_at IS NULL";
        let wanted = bulk::texts(self.engine, 2);
        self.wanted(&wanted, these, vec![seller.0.into(), bulk::json(skus)?]).await
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
        let changed = changed.map_err(again_when_broken)?;
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

    async fn purge(&mut self, before: Timestamp, limit: u32) -> Result<Vec<Product>> {
        // Held, so that another who purges at the same time takes others: each gives what it removed, and no more.
        let sql = format!(
            "SELECT p.id FROM products p WHERE p.deleted_at < $1 \
             AND NOT EXISTS (SELECT 1 FROM product_files f WHERE f.product_id = p.id) ORDER BY p.deleted_at LIMIT $2 {}",
            self.engine.pick("", "FOR UPDATE SKIP LOCKED")
        );
        let rows = all(&self.tx, statement(self.engine, sql, [before.into(), i64::from(limit).into()])).await?;
        let ids = rows.iter().map(|row| at::<Uuid>(row, 0).map(bulk::hex)).collect::<Result<Vec<_>>>()?;
        let gone = self.wanted(&bulk::ids(self.engine, 1), "p.id = wanted.v", vec![bulk::json(&ids)?]).await?;
        let ids: Vec<Uuid> = gone.iter().map(|product| product.id.0).collect();
        product::Entity::delete_many()
            .filter(product::Column::Id.is_in(ids))
            .exec(&self.tx)
            .await
            .map_err(error::of)?;
        Ok(gone)
    }

    async fn hold(&mut self, id: ProductId) -> Result<()> {
        // SQLite has one writer.
        if self.engine == Engine::Postgres {
            let sql = "SELECT 1 FROM products WHERE id = $1 FOR UPDATE";
            one(&self.tx, statement(self.engine, sql, [id.0.into()])).await?;
        }
        Ok(())
    }

    async fn insert_many(&mut self, products: &[Product]) -> Result<()> {
        let rows: Vec<_> = products.iter().map(ProductRow::of).collect();
        let stored = PRODUCTS.insert(&self.tx, self.engine, &rows, "ON CONFLICT DO NOTHING").await?;
        if usize::try_from(stored).unwrap_or_default() != products.len() {
            return Err(Error::conflict("A slug or sku of these products is taken; retry"));
        }
        self.insert_images(products).await
    }

    async fn reindex(&mut self, ids: &[ProductId]) -> Result<u64> {
        self.reindex_products(ids).await
    }

    async fn taken_slugs(&mut self, slugs: &[Slug]) -> Result<Vec<Slug>> {
        let sql = format!(
            "SELECT p.slug FROM {} {}",
            bulk::texts(self.engine, 1),
            bulk::for_each(self.engine, "products", "p.slug = wanted.v AND p.deleted_at IS NULL")
        );
        let slugs: Vec<_> = slugs.iter().map(Slug::as_str).collect();
        let rows = all(&self.tx, statement(self.engine, sql, [bulk::json(&slugs)?])).await?;
        rows.iter().map(|row| at::<String>(row, 0).map(Slug::stored)).collect()
    }
}

impl SeaTx {
    async fn no_category(&self, new: &Product) -> Result<bool> {
        let Some(category) = new.category else { return Ok(false) };
        let sql = "SELECT 1 FROM categories WHERE id = $1";
        Ok(one(&self.tx, statement(self.engine, sql, [category.0.into()])).await?.is_none())
    }

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

    /// The products that `these` finds for each that is `wanted`, with their pictures.
    async fn wanted(&self, wanted: &str, these: &str, values: Vec<Value>) -> Result<Vec<Product>> {
        let sql = format!("SELECT {COLUMNS} FROM {wanted} {}", bulk::for_each(self.engine, "products", these));
        let rows = all(&self.tx, statement(self.engine, sql, values)).await?;
        let mut found = rows.iter().map(|row| read(row, 0)).collect::<Result<Vec<_>>>()?;
        let ids: Vec<Uuid> = found.iter().map(|product| product.id.0).collect();
        let mut images = HashMap::<Uuid, Vec<Image>>::new();
        for row in self.images_of(&ids).await? {
            images.entry(row.product_id).or_default().push(image(row)?);
        }
        for product in &mut found {
            product.images = images.remove(&product.id.0).unwrap_or_default();
        }
        Ok(found)
    }

    async fn images_of(&self, products: &[Uuid]) -> Result<Vec<product_image::Model>> {
        if products.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT p.id, p.product_id, p.url, p.alt, p.position, p.picture FROM {} {} ORDER BY p.position",
            bulk::ids(self.engine, 1),
            bulk::for_each(self.engine, "product_images", "p.product_id = wanted.v")
        );
        let ids: Vec<_> = products.iter().map(|id| bulk::hex(*id)).collect();
        let rows = all(&self.tx, statement(self.engine, sql, [bulk::json(&ids)?])).await?;
        let picture = |row| {
            Ok(product_image::Model {
                id: at(row, 0)?,
                product_id: at(row, 1)?,
                url: at(row, 2)?,
                alt: at(row, 3)?,
                position: at(row, 4)?,
                picture: at(row, 5)?,
            })
        };
        rows.iter().map(picture).collect()
    }

    pub(super) async fn insert_images(&self, products: &[Product]) -> Result<()> {
        let rows: Vec<_> = products.iter().flat_map(ImageRow::of).collect();
        IMAGES.insert(&self.tx, self.engine, &rows, "").await.map(|_| ())
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

/// A unique index was free, or a row referred to was there, a statement ago: the whole attempt is run again.
pub(crate) fn again_when_broken(error: Error) -> Error {
    match error {
        Error::Internal(source) if source.downcast_ref::<sea_orm::DbErr>().is_some_and(|e| e.sql_err().is_some()) => {
            Error::Transient(source)
        }
        other => other,
    }
}
