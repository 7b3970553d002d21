//! Products, read side: every read is one statement.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Result,
    catalog::{
        Image, ProductStatus, Slug,
        policy::Scope,
        ports::ProductQueries,
        queries::{BySlug, ProductDetail, ProductFilter, ProductKey, ProductSort, ProductSummary},
    },
    id::{ImageId, ProductId, SellerId},
    page::{Limit, Page, PageRequest, Slice},
};
use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use super::{
    product_list::{self, COVER, List, WITH_COVER},
    product_row::{COLUMNS, WIDTH, read, read_picture},
};
use crate::{
    database::Database,
    statement::{all, at, count, one, placeholders, statement},
};

impl Database {
    /// The read side of products.
    pub fn products(&self) -> Arc<dyn ProductQueries> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl ProductQueries for Database {
    async fn get(&self, id: ProductId, scope: Scope) -> Result<Option<ProductDetail>> {
        self.detail_by_id(id, scope).await
    }

    async fn by_slug(&self, slug: &Slug, scope: Scope) -> Result<Option<BySlug>> {
        if let Some(found) = self.detail_by_slug(slug, scope).await? {
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

    async fn among(&self, ids: &[ProductId], filter: &ProductFilter) -> Result<Vec<ProductSummary>> {
        let rows = all(&self.reader, product_list::among(self.engine, ids, filter)?).await?;
        summaries(&rows, 0)
    }

    async fn deleted(&self, scope: Scope, page: PageRequest) -> Result<Page<ProductSummary>> {
        let (condition, values): (String, Vec<Value>) = match scope {
            Scope::Published => return Ok(Page::new(Vec::new(), 0, page)),
            Scope::Sellers(own) => {
                let own = own.as_slice();
                let places = placeholders(1, own.len());
                let condition = format!("p.deleted_at IS NOT NULL AND p.seller_id IN ({places})");
                (condition, own.iter().map(|seller| seller.0.into()).collect())
            }
            Scope::All => ("p.deleted_at IS NOT NULL".to_owned(), Vec::new()),
        };
        let counting = format!("SELECT count(*) FROM products p WHERE {condition}");
        let total = one(&self.reader, statement(self.engine, counting, values.clone())).await?;
        let total = total.map_or(Ok(0), |row| count(&row, 0))?;
        let sql = format!(
            "SELECT {COLUMNS}, {COVER} FROM products p {WITH_COVER} WHERE {condition} \
             ORDER BY p.deleted_at DESC, p.id DESC LIMIT {} OFFSET {}",
            page.limit.get(),
            page.offset()
        );
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        Ok(Page::new(summaries(&rows, 0)?, total, page))
    }
}

fn summaries(rows: &[QueryResult], first: usize) -> Result<Vec<ProductSummary>> {
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        // The row that only carries the total of an empty page.
        if at::<Option<Uuid>>(row, first)?.is_none() {
            continue;
        }
        let mut product = read(row, first)?;
        let cover = first + WIDTH;
        if let Some(id) = at::<Option<Uuid>>(row, cover)? {
            let picture = read_picture(at(row, cover + 3)?)?;
            product.images.push(Image { id: ImageId(id), url: at(row, cover + 1)?, alt: at(row, cover + 2)?, picture });
        }
        items.push(ProductSummary { product });
    }
    Ok(items)
}
