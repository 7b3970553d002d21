//! Finding the words of products anew.

use domain::{Result, catalog::ports::ProductRepo as _, id::ProductId};
use serde_json::json;

use super::product_row::search_text;
use crate::{
    bulk,
    statement::{execute, statement},
    tx::SeaTx,
};

/// Only where somebody else has not renamed the product meanwhile, which gave it new words.
const SQLITE: &str = "UPDATE products SET search_text = row.value ->> 'words' FROM json_each($1) AS row \
    WHERE products.id = unhex(row.value ->> 'id') AND products.version = row.value ->> 'version' \
    AND products.search_text <> row.value ->> 'words'";
const POSTGRES: &str = "UPDATE products SET search_text = row.words \
    FROM jsonb_to_recordset($1::jsonb) AS row (id uuid, version bigint, words text) \
    WHERE products.id = row.id AND products.version = row.version AND products.search_text <> row.words";

impl SeaTx {
    pub(super) async fn reindex_products(&mut self, ids: &[ProductId]) -> Result<u64> {
        let found = self.find_many(ids).await?;
        let rows: Vec<_> = found
            .iter()
            .map(|one| json!({ "id": bulk::hex(one.id), "version": one.version.0, "words": search_text(one) }))
            .collect();
        if rows.is_empty() {
            return Ok(0);
        }
        execute(&self.tx, statement(self.engine, self.engine.pick(SQLITE, POSTGRES), [bulk::json(&rows)?])).await
    }
}
