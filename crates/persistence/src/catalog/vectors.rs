//! The vectors of products.

use std::{fmt::Write as _, sync::Arc};

use async_trait::async_trait;
use domain::{
    Error, Result,
    catalog::similar::ports::{Changed, Progress, StoredVector, VectorStore},
    clock::Timestamp,
    id::ProductId,
};
use sea_orm::{QueryResult, Value};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    bulk,
    database::Database,
    error,
    statement::{all, at, count, execute, one, statement},
    transaction::Purpose,
};

/// Only where the product is still there; what purges it waits until the step is stored.
const KEEP_SQLITE: &str = "INSERT INTO product_vectors (product_id, head, source, vector) \
    SELECT p.id, $2, row.value ->> 'source', unhex(row.value ->> 'vector') FROM json_each($1) AS row \
    CROSS JOIN products p WHERE p.id = unhex(row.value ->> 'product') \
    ON CONFLICT (product_id) DO UPDATE SET head = excluded.head, source = excluded.source, vector = excluded.vector";
const KEEP_POSTGRES: &str = "INSERT INTO product_vectors (product_id, head, source, vector) \
    SELECT p.id, $2, row.source, decode(row.vector, 'hex') \
    FROM jsonb_to_recordset($1::jsonb) AS row (product uuid, source bigint, vector text) \
    JOIN products p ON p.id = row.product ORDER BY p.id FOR KEY SHARE OF p \
    ON CONFLICT (product_id) DO UPDATE SET head = excluded.head, source = excluded.source, vector = excluded.vector";

#[derive(Serialize)]
struct Row {
    product: uuid::fmt::Simple,
    source: i64,
    vector: Option<String>,
}

impl Database {
    /// The vectors of products.
    pub fn vectors(&self) -> Arc<dyn VectorStore> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl VectorStore for Database {
    async fn progress(&self) -> Result<Progress> {
        let sql = "SELECT head, began, model, walking, walked_to, seq FROM vector_progress";
        let row = one(&self.reader, statement(self.engine, sql, [])).await?;
        let row = row.ok_or_else(|| Error::internal("the progress of vectors is gone"))?;
        Ok(Progress {
            head: count(&row, 0)?,
            began: count(&row, 1)?,
            model: at(&row, 2)?,
            walking: at(&row, 3)?,
            after: at::<Option<Uuid>>(&row, 4)?.map(ProductId),
            seq: count(&row, 5)?,
        })
    }

    async fn lease(&self, node: Uuid, now: Timestamp, until: Timestamp) -> Result<bool> {
        let sql = "UPDATE vector_progress SET holder = $1, held_until = $3 \
            WHERE holder IS NULL OR holder = $1 OR held_until <= $2";
        let values = [node.into(), now.into(), until.into()];
        Ok(execute(&self.writer, statement(self.engine, sql, values)).await? > 0)
    }

    async fn keep(&self, from: &Progress, to: &Progress, vectors: &[StoredVector]) -> Result<bool> {
        let tx = self.writer.begin(Purpose::Write).await.map_err(error::of)?;
        let sql = "UPDATE vector_progress SET head = $2, began = $3, model = $4, walking = $5, walked_to = $6, seq = $7 \
            WHERE head = $1";
        let head = from.head + 1;
        let values = [
            number(from.head)?,
            number(head)?,
            number(to.began)?,
            to.model.as_str().into(),
            to.walking.into(),
            to.after.map(|after| after.0).into(),
            number(to.seq)?,
        ];
        if execute(&tx, statement(self.engine, sql, values)).await? == 0 {
            tx.rollback().await.map_err(error::of)?;
            return Ok(false);
        }
        let sql = self.engine.pick(KEEP_SQLITE, KEEP_POSTGRES);
        for vectors in vectors.chunks(bulk::ROWS) {
            let rows: Vec<_> = vectors.iter().map(row).collect();
            execute(&tx, statement(self.engine, sql, [bulk::json(&rows)?, number(head)?])).await?;
        }
        tx.commit().await.map_err(error::of)?;
        Ok(true)
    }

    async fn sources(&self, products: &[ProductId], began: u64) -> Result<Vec<(ProductId, i64)>> {
        let ids: Vec<_> = products.iter().map(|id| bulk::hex(*id)).collect();
        let sql = format!(
            "SELECT v.product_id, v.source FROM {} CROSS JOIN product_vectors v WHERE v.product_id = wanted.v AND v.head > $2",
            bulk::ids(self.engine, 1)
        );
        let rows = all(&self.reader, statement(self.engine, sql, [bulk::json(&ids)?, number(began)?])).await?;
        rows.iter().map(|row| Ok((ProductId(at(row, 0)?), at(row, 1)?))).collect()
    }

    async fn changed(&self, head: u64, product: Option<ProductId>, limit: u32) -> Result<Vec<Changed>> {
        let mut values = vec![number(head)?];
        let after = match product {
            Some(product) => {
                values.push(product.0.into());
                "(head, product_id) > ($1, $2)"
            }
            None => "head > $1",
        };
        let sql = format!(
            "SELECT product_id, head, vector FROM product_vectors WHERE {after} ORDER BY head, product_id LIMIT {limit}"
        );
        all(&self.reader, statement(self.engine, sql, values)).await?.iter().map(changed).collect()
    }

    async fn count(&self, began: u64) -> Result<u64> {
        let sql = "SELECT count(*) FROM product_vectors WHERE head > $1 AND vector IS NOT NULL";
        let row = one(&self.reader, statement(self.engine, sql, [number(began)?])).await?;
        row.map_or(Ok(0), |row| count(&row, 0))
    }
}

fn number(number: u64) -> Result<Value> {
    i64::try_from(number).map(Value::from).map_err(Error::internal)
}

fn row(stored: &StoredVector) -> Row {
    let vector = stored.vector.as_ref().map(|bytes| {
        bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{:02x}", byte.cast_unsigned());
            text
        })
    });
    Row { product: bulk::hex(stored.product), source: stored.source, vector }
}

fn changed(row: &QueryResult) -> Result<Changed> {
    let vector: Option<Vec<u8>> = at(row, 2)?;
    let vector = vector.map(|bytes| bytes.into_iter().map(u8::cast_signed).collect());
    Ok(Changed { product: ProductId(at(row, 0)?), head: count(row, 1)?, vector })
}
