//! Reviews.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Error, Result,
    catalog::{
        Review,
        ports::{ReviewQueries, ReviewRepo},
    },
    id::{ProductId, ReviewId, UserId},
    page::{Page, PageRequest},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};

use crate::{database::Database, engine::Engine, entity::review, error, tx::SeaTx};

/// Rows per statement of a bulk insert: 8 columns each, inside SQLite's 32,766 parameters.
const BULK: usize = 1000;

#[async_trait]
impl ReviewRepo for SeaTx {
    async fn insert(&mut self, new: &Review) -> Result<bool> {
        let stored = review::Entity::insert(row(new))
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.tx)
            .await
            .map_err(error::of)?;
        Ok(stored == 1)
    }

    async fn insert_many(&mut self, reviews: &[Review]) -> Result<()> {
        for chunk in reviews.chunks(BULK) {
            let stored = review::Entity::insert_many(chunk.iter().map(row))
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(&self.tx)
                .await
                .map_err(error::of)?;
            if usize::try_from(stored).unwrap_or_default() != chunk.len() {
                return Err(Error::conflict("The author of one of these reviews has reviewed the product already"));
            }
        }
        Ok(())
    }

    async fn find(&mut self, id: ReviewId) -> Result<Option<Review>> {
        let mut found = review::Entity::find_by_id(id.0);
        if self.engine == Engine::Postgres {
            // What is added to the rating depends on what is read here: other writers wait.
            found = found.lock_exclusive();
        }
        Ok(found.one(&self.tx).await.map_err(error::of)?.map(from_row))
    }

    async fn update(&mut self, new: &Review) -> Result<()> {
        review::Entity::update(row(new)).exec(&self.tx).await.map(|_| ()).map_err(error::of)
    }

    async fn delete(&mut self, id: ReviewId) -> Result<()> {
        review::Entity::delete_by_id(id.0).exec(&self.tx).await.map(|_| ()).map_err(error::of)
    }
}

impl Database {
    /// The read side of reviews.
    pub fn reviews(&self) -> Arc<dyn ReviewQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl ReviewQueries for Database {
    async fn of_product(&self, product: ProductId, page: PageRequest) -> Result<Page<Review>> {
        let shown = review::Entity::find()
            .filter(review::Column::ProductId.eq(product.0))
            .filter(review::Column::Hidden.eq(false));
        let total = shown.clone().count(&self.reader).await.map_err(error::of)?;
        let rows = shown
            .order_by_desc(review::Column::CreatedAt)
            .order_by_desc(review::Column::Id)
            .offset(page.offset())
            .limit(u64::from(page.limit.get()))
            .all(&self.reader)
            .await
            .map_err(error::of)?;
        Ok(Page::new(rows.into_iter().map(from_row).collect(), total, page))
    }

    async fn get(&self, id: ReviewId) -> Result<Option<Review>> {
        let found = review::Entity::find_by_id(id.0).one(&self.reader).await.map_err(error::of)?;
        Ok(found.map(from_row))
    }
}

fn row(review: &Review) -> review::ActiveModel {
    review::ActiveModel {
        id: Set(review.id.0),
        product_id: Set(review.product.0),
        author_id: Set(review.author.0),
        stars: Set(review.stars),
        comment: Set(review.comment.clone()),
        hidden: Set(review.hidden),
        created_at: Set(review.created_at),
        updated_at: Set(review.updated_at),
    }
}

fn from_row(row: review::Model) -> Review {
    Review {
        id: ReviewId(row.id),
        product: ProductId(row.product_id),
        author: UserId(row.author_id),
        stars: row.stars,
        comment: row.comment,
        hidden: row.hidden,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
