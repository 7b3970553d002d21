//! A page and its total of the same moment, from one statement.

use domain::{
    Error, Result,
    page::{Page, PageRequest},
};
use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use crate::{
    database::Database,
    statement::{all, at, count, statement},
};

/// What is listed. Parameters 1 and 2 are limit and offset; the first column is an id and never NULL.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paged<'a> {
    pub(crate) columns: &'a str,
    pub(crate) from: &'a str,
    pub(crate) order: &'a str,
}

/// The page asked for; `read` takes a row and the index of its first column.
pub(crate) async fn paged<T>(
    database: &Database,
    Paged { columns, from, order }: &Paged<'_>,
    mut values: Vec<Value>,
    page: PageRequest,
    read: impl Fn(&QueryResult, usize) -> Result<T>,
) -> Result<Page<T>> {
    let offset = i64::try_from(page.offset()).map_err(Error::internal)?;
    values.splice(0..0, [i64::from(page.limit.get()).into(), offset.into()]);
    let sql = format!(
        "SELECT total.n, found.* FROM (SELECT count(*) AS n FROM {from}) total LEFT JOIN \
         (SELECT {columns}, row_number() OVER (ORDER BY {order}) AS place FROM {from} ORDER BY {order} \
         LIMIT $1 OFFSET $2) found ON TRUE ORDER BY found.place"
    );
    let rows = all(&database.reader, statement(database.engine, sql, values)).await?;
    let total = rows.first().map_or(Ok(0), |row| count(row, 0))?;
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        if at::<Option<Uuid>>(row, 1)?.is_some() {
            items.push(read(row, 1)?);
        }
    }
    Ok(Page::new(items, total, page))
}
