//! Products, read side: every read is one statement.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    catalog::{
        ProductStatus, Review, Slug,
        policy::Scope,
        ports::ProductQueries,
        queries::{
            BySlug, CategoryRef, LATEST_REVIEWS, ProductDetail, ProductFilter, ProductKey, ProductSort, ProductSummary,
        },
    },
    clock::Timestamp,
    id::{CategoryId, ProductId, ReviewId, SellerId, UserId},
    page::{Limit, Page, PageRequest, Slice},
};
use sea_orm::{QueryResult, Value};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    product_list::{self, List},
    product_row::{COLUMNS, JsonImage, WIDTH, json_list, read},
};
use crate::{
    database::Database,
    engine::Engine,
    statement::{all, at, count, one, statement},
};

impl Database {
    /// The read side of products.
    pub fn products(&self) -> Arc<dyn ProductQueries> {
        Arc::new(self.clone())
    }

    async fn detail(&self, condition: &str, value: Value, scope: Scope) -> Result<Option<ProductDetail>> {
        let sql = format!("{} WHERE {condition} AND p.deleted_at IS NULL", detail_sql(self.engine));
        let Some(row) = one(&self.reader, statement(self.engine, sql, [value])).await? else { return Ok(None) };
        let found = detail(&row)?;
        Ok(scope.shows(found.product.seller, found.product.status).then_some(found))
    }
}

#[async_trait]
impl ProductQueries for Database {
    async fn get(&self, id: ProductId, scope: Scope) -> Result<Option<ProductDetail>> {
        self.detail("p.id = $1", id.0.into(), scope).await
    }

    async fn by_slug(&self, slug: &Slug, scope: Scope) -> Result<Option<BySlug>> {
        if let Some(found) = self.detail("p.slug = $1", slug.as_str().into(), scope).await? {
            return Ok(Some(BySlug::Here(Box::new(found))));
        }
        let sql = "SELECT p.slug, p.seller_id, p.status FROM product_slug_history h JOIN products p ON p.id = h.product_id \
                   WHERE h.slug = $1 AND p.deleted_at IS NULL";
        let Some(row) = one(&self.reader, statement(self.engine, sql, [slug.as_str().into()])).await? else {
            return Ok(None);
        };
        let status = ProductStatus::named(&at::<String>(&row, 2)?).unwrap_or(ProductStatus::Draft);
        let shown = scope.shows(SellerId(at(&row, 1)?), status);
        Ok(if shown { Some(BySlug::Moved(Slug::stored(at::<String>(&row, 0)?))) } else { None })
    }

    async fn list(&self, filter: &ProductFilter, sort: ProductSort, page: PageRequest) -> Result<Page<ProductSummary>> {
        let asked = List { filter, sort, after: None, limit: page.limit.get(), offset: page.offset() };
        let rows = all(&self.reader, product_list::sql(self.engine, &asked)).await?;
        let total = rows.first().map_or(Ok(0), |row| count(row, 0))?;
        Ok(Page::new(summaries(&rows, 1)?, total, page))
    }

    async fn slice(
        &self,
        filter: &ProductFilter,
        sort: ProductSort,
        after: Option<ProductKey>,
        limit: Limit,
    ) -> Result<Slice<ProductSummary, ProductKey>> {
        // One more than asked for tells whether more follow.
        let asked = List { filter, sort, after, limit: limit.get() + 1, offset: 0 };
        let rows = all(&self.reader, product_list::sql(self.engine, &asked)).await?;
        let mut items = summaries(&rows, 1)?;
        let wanted = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let more = items.len() > wanted;
        items.truncate(wanted);
        let next = if more { items.last().map(|item| ProductKey::of(&item.product, sort.by)) } else { None };
        Ok(Slice { items, next })
    }

    async fn deleted(&self, scope: Scope, page: PageRequest) -> Result<Page<ProductSummary>> {
        let (condition, owner): (&str, Option<Value>) = match scope {
            Scope::Published => return Ok(Page::new(Vec::new(), 0, page)),
            Scope::Seller(seller) => ("p.deleted_at IS NOT NULL AND p.seller_id = $1", Some(seller.0.into())),
            Scope::All => ("p.deleted_at IS NOT NULL", None),
        };
        let values: Vec<Value> = owner.into_iter().collect();
        let counting = format!("SELECT count(*) FROM products p WHERE {condition}");
        let total = one(&self.reader, statement(self.engine, counting, values.clone())).await?;
        let total = total.map_or(Ok(0), |row| count(&row, 0))?;
        let sql = format!(
            "SELECT {COLUMNS}, {} FROM products p WHERE {condition} ORDER BY p.deleted_at DESC, p.id DESC LIMIT {} OFFSET {}",
            product_list::first_image(self.engine),
            page.limit.get(),
            page.offset()
        );
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        Ok(Page::new(summaries(&rows, 0)?, total, page))
    }
}

/// Lists come as JSON. On PostgreSQL they are arrays of sorted subqueries, for an aggregate would sort them again; and a
/// category is looked up by itself, for a join would read all of them.
fn detail_sql(engine: Engine) -> String {
    let images = engine.pick(
        "(SELECT json_group_array(json_object('id', lower(hex(i.id)), 'url', i.url, 'alt', i.alt) ORDER BY i.position) \
          FROM product_images i WHERE i.product_id = p.id)",
        "array_to_json(ARRAY(SELECT json_build_object('id', i.id, 'url', i.url, 'alt', i.alt) \
          FROM product_images i WHERE i.product_id = p.id ORDER BY i.position))::text",
    );
    let latest = format!(
        "FROM reviews r WHERE r.product_id = p.id AND NOT r.hidden ORDER BY r.created_at DESC, r.id DESC LIMIT {LATEST_REVIEWS}"
    );
    let reviews = match engine {
        Engine::Sqlite => format!(
            "(SELECT json_group_array(json_object('id', lower(hex(id)), 'author', lower(hex(author_id)), 'stars', stars, \
             'comment', comment, 'created_at', created_at, 'updated_at', updated_at) ORDER BY created_at DESC, id DESC) \
             FROM (SELECT r.id, r.author_id, r.stars, r.comment, r.created_at, r.updated_at {latest}) latest)"
        ),
        Engine::Postgres => format!(
            "array_to_json(ARRAY(SELECT json_build_object('id', r.id, 'author', r.author_id, 'stars', r.stars, \
             'comment', r.comment, 'created_at', r.created_at, 'updated_at', r.updated_at) {latest}))::text"
        ),
    };
    let category = engine.pick(
        "LEFT JOIN categories c ON c.id = p.category_id",
        "LEFT JOIN LATERAL (SELECT id, name, slug FROM categories WHERE id = p.category_id LIMIT 1) c ON TRUE",
    );
    format!("SELECT {COLUMNS}, c.id, c.name, c.slug, {images}, {reviews} FROM products p {category}")
}

fn detail(row: &QueryResult) -> Result<ProductDetail> {
    let mut product = read(row, 0)?;
    let category = match at::<Option<Uuid>>(row, WIDTH)? {
        Some(id) => Some(CategoryRef { id: CategoryId(id), name: at(row, WIDTH + 1)?, slug: at(row, WIDTH + 2)? }),
        None => None,
    };
    product.images = json_list::<JsonImage>(row, WIDTH + 3)?.into_iter().map(Into::into).collect();
    let reviews = json_list::<JsonReview>(row, WIDTH + 4)?.into_iter().map(|review| review.of(product.id)).collect();
    Ok(ProductDetail { product, category, reviews })
}

fn summaries(rows: &[QueryResult], first: usize) -> Result<Vec<ProductSummary>> {
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        // The row that only carries the total of an empty page.
        if at::<Option<Uuid>>(row, first)?.is_none() {
            continue;
        }
        let mut product = read(row, first)?;
        if let Some(image) = at::<Option<String>>(row, first + WIDTH)? {
            let image: JsonImage = serde_json::from_str(&image).map_err(domain::Error::internal)?;
            product.images.push(image.into());
        }
        items.push(ProductSummary { product });
    }
    Ok(items)
}

/// A review as the database writes it into JSON.
#[derive(Debug, Deserialize)]
struct JsonReview {
    id: Uuid,
    author: Uuid,
    stars: i32,
    comment: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl JsonReview {
    fn of(self, product: ProductId) -> Review {
        Review {
            id: ReviewId(self.id),
            product,
            author: UserId(self.author),
            stars: self.stars,
            comment: self.comment,
            hidden: false,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}
