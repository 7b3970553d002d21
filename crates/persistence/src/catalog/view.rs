//! Who saw which product last.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use domain::{
    Result,
    catalog::{ports::ViewLog, queries::ProductView},
    clock::Timestamp,
    id::{ProductId, UserId},
    page::{Page, PageRequest},
};
use sea_orm::Value;

use crate::{
    database::Database,
    error,
    statement::{all, at, count, execute, one, statement},
    transaction::Purpose,
};

impl Database {
    /// Product views.
    pub fn views(&self) -> Arc<dyn ViewLog> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl ViewLog for Database {
    async fn store(&self, views: &[ProductView]) -> Result<()> {
        let mut latest = HashMap::<(UserId, ProductId), Timestamp>::new();
        for view in views {
            let at = latest.entry((view.user, view.product)).or_insert(view.at);
            *at = view.at.max(*at);
        }
        let mut latest: Vec<_> = latest.into_iter().collect();
        // One order for all writers, so that two batches cannot wait for each other.
        latest.sort_unstable();
        let greatest = self.engine.pick("max", "greatest");
        let sql = format!(
            "INSERT INTO product_views (user_id, product_id, viewed_at) \
             SELECT u.id, p.id, $3 FROM users u, products p WHERE u.id = $1 AND p.id = $2 \
             ON CONFLICT (user_id, product_id) DO UPDATE SET viewed_at = {greatest}(product_views.viewed_at, excluded.viewed_at)"
        );
        let tx = self.writer.begin(Purpose::Write).await.map_err(error::of)?;
        for ((user, product), at) in latest {
            let moment: Value = at.into();
            execute(&tx, statement(self.engine, sql.as_str(), [user.0.into(), product.0.into(), moment])).await?;
        }
        tx.commit().await.map_err(error::of)
    }

    async fn of_user(&self, user: UserId, page: PageRequest) -> Result<Page<ProductView>> {
        let shown = "FROM product_views v JOIN products p ON p.id = v.product_id \
                     WHERE v.user_id = $1 AND p.deleted_at IS NULL AND p.status = 'published'";
        let total =
            one(&self.reader, statement(self.engine, format!("SELECT count(*) {shown}"), [user.0.into()])).await?;
        let total = total.map_or(Ok(0), |row| count(&row, 0))?;
        let sql = format!(
            "SELECT v.product_id, v.viewed_at {shown} ORDER BY v.viewed_at DESC, v.product_id LIMIT $2 OFFSET $3"
        );
        let values = [
            user.0.into(),
            i64::from(page.limit.get()).into(),
            i64::try_from(page.offset()).unwrap_or(i64::MAX).into(),
        ];
        let rows = all(&self.reader, statement(self.engine, sql, values)).await?;
        let views = rows.iter().map(|row| Ok(ProductView { user, product: ProductId(at(row, 0)?), at: at(row, 1)? }));
        Ok(Page::new(views.collect::<Result<_>>()?, total, page))
    }
}
