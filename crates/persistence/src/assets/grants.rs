//! Who may take the files of a product away.

use async_trait::async_trait;
use domain::{
    Result,
    assets::files::{Grant, ports::GrantRepo},
    id::{GrantId, ProductId, UserId},
    page::{Page, PageRequest},
};
use sea_orm::QueryResult;

use crate::{
    database::Database,
    paging::{Paged, paged},
    statement::{at, execute, one, statement},
    tx::SeaTx,
};

const COLUMNS: &str = "id, product_id, user_id, by_id, created_at";

#[async_trait]
impl GrantRepo for SeaTx {
    async fn insert(&mut self, grant: &Grant) -> Result<bool> {
        let sql = format!(
            "INSERT INTO grants ({COLUMNS}) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (product_id, user_id) DO NOTHING"
        );
        let values = [
            grant.id.0.into(),
            grant.product.0.into(),
            grant.user.0.into(),
            grant.by.map(|by| by.0).into(),
            grant.created_at.into(),
        ];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? == 1)
    }

    async fn remove(&mut self, product: ProductId, user: UserId) -> Result<Option<Grant>> {
        let sql = format!("DELETE FROM grants WHERE product_id = $1 AND user_id = $2 RETURNING {COLUMNS}");
        let row = one(&self.tx, statement(self.engine, sql, [product.0.into(), user.0.into()])).await?;
        row.map(|row| grant(&row, 0)).transpose()
    }
}

pub(super) async fn grant_of(database: &Database, product: ProductId, user: UserId) -> Result<Option<GrantId>> {
    let sql = "SELECT id FROM grants WHERE product_id = $1 AND user_id = $2";
    let row = one(&database.reader, statement(database.engine, sql, [product.0.into(), user.0.into()])).await?;
    row.map(|row| Ok(GrantId(at(&row, 0)?))).transpose()
}

pub(super) async fn list(database: &Database, product: ProductId, page: PageRequest) -> Result<Page<Grant>> {
    let listed = Paged { columns: COLUMNS, from: "grants WHERE product_id = $3", order: "id DESC" };
    paged(database, &listed, vec![product.0.into()], page, grant).await
}

fn grant(row: &QueryResult, first: usize) -> Result<Grant> {
    Ok(Grant {
        id: GrantId(at(row, first)?),
        product: ProductId(at(row, first + 1)?),
        user: UserId(at(row, first + 2)?),
        by: at::<Option<uuid::Uuid>>(row, first + 3)?.map(UserId),
        created_at: at(row, first + 4)?,
    })
}
