//! How much is kept for whom.

use async_trait::async_trait;
use domain::{
    Error, Result,
    assets::{Holder, ports::UsageRepo},
};
use sea_orm::Value;

use crate::{
    database::Database,
    statement::{count, execute, one, statement},
    tx::SeaTx,
};

#[async_trait]
impl UsageRepo for SeaTx {
    async fn charge(&mut self, holder: Holder, bytes: u64, most: u64) -> Result<bool> {
        let (column, id) = named(holder);
        let sql = format!(
            "INSERT INTO storage_usage ({column}, bytes) SELECT $1, $2 WHERE $2 <= $3 ON CONFLICT ({column}) \
             DO UPDATE SET bytes = storage_usage.bytes + excluded.bytes WHERE storage_usage.bytes + excluded.bytes <= $3"
        );
        let Ok(bytes) = i64::try_from(bytes) else { return Ok(false) };
        let values = [id, bytes.into(), i64::try_from(most).unwrap_or(i64::MAX).into()];
        Ok(execute(&self.tx, statement(self.engine, sql, values)).await? == 1)
    }

    async fn refund(&mut self, holder: Holder, bytes: u64) -> Result<()> {
        let (column, id) = named(holder);
        let sql = format!("UPDATE storage_usage SET bytes = bytes - $2 WHERE {column} = $1 AND bytes >= $2");
        let bytes = i64::try_from(bytes).map_err(Error::internal)?;
        let touched = execute(&self.tx, statement(self.engine, sql, [id, bytes.into()])).await?;
        if touched == 1 || bytes == 0 { Ok(()) } else { Err(Error::internal("more bytes go than were counted")) }
    }
}

pub(super) async fn of(database: &Database, holder: Holder) -> Result<u64> {
    let (column, id) = named(holder);
    let sql = format!("SELECT bytes FROM storage_usage WHERE {column} = $1");
    let row = one(&database.reader, statement(database.engine, sql, [id])).await?;
    row.map_or(Ok(0), |row| count(&row, 0))
}

fn named(holder: Holder) -> (&'static str, Value) {
    match holder {
        Holder::Person(id) => ("user_id", id.0.into()),
        Holder::Seller(id) => ("seller_id", id.0.into()),
    }
}
