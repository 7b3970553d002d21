//! The vectors of products in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use uuid::Uuid;

use super::MemoryStore;
use crate::{
    catalog::similar::{
        VectorBytes,
        ports::{Changed, Progress, StoredVector, VectorStore},
    },
    clock::Timestamp,
    error::Result,
    id::ProductId,
};

/// What is stored of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Vectors {
    progress: Progress,
    holder: Option<(Uuid, Timestamp)>,
    /// Each with its step and digest.
    rows: BTreeMap<ProductId, (u64, i64, Option<VectorBytes>)>,
}

#[async_trait]
impl VectorStore for MemoryStore {
    async fn progress(&self) -> Result<Progress> {
        Ok(self.state().vectors.progress.clone())
    }

    async fn lease(&self, node: Uuid, now: Timestamp, until: Timestamp) -> Result<bool> {
        Ok(self.change(|state| {
            let free = state.vectors.holder.is_none_or(|(holder, end)| holder == node || end <= now);
            if free {
                state.vectors.holder = Some((node, until));
            }
            free
        }))
    }

    async fn keep(&self, from: &Progress, to: &Progress, vectors: &[StoredVector]) -> Result<bool> {
        Ok(self.change(|state| {
            if state.vectors.progress.head != from.head {
                return false;
            }
            state.vectors.progress = Progress { head: from.head + 1, ..to.clone() };
            for one in vectors.iter().filter(|one| state.products.contains_key(&one.product)) {
                state.vectors.rows.insert(one.product, (from.head + 1, one.source, one.vector.clone()));
            }
            true
        }))
    }

    async fn sources(&self, products: &[ProductId], began: u64) -> Result<Vec<(ProductId, i64)>> {
        let state = self.state();
        let stored = products.iter().filter_map(|id| state.vectors.rows.get(id).map(|row| (*id, row)));
        Ok(stored.filter(|(_, row)| row.0 > began).map(|(id, row)| (id, row.1)).collect())
    }

    async fn changed(&self, head: u64, product: Option<ProductId>, limit: u32) -> Result<Vec<Changed>> {
        let state = self.state();
        let rows = state.vectors.rows.iter().filter(|(id, row)| (row.0, Some(**id)) > (head, product));
        let mut rows: Vec<Changed> = rows
            // With no product, all of that step are known.
            .filter(|(_, row)| product.is_some() || row.0 > head)
            .map(|(id, row)| Changed { product: *id, head: row.0, vector: row.2.clone() })
            .collect();
        rows.sort_by_key(|row| (row.head, row.product));
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(rows)
    }

    async fn count(&self, began: u64) -> Result<u64> {
        let state = self.state();
        let rows = state.vectors.rows.values().filter(|row| row.0 > began && row.2.is_some()).count();
        Ok(u64::try_from(rows).unwrap_or(u64::MAX))
    }
}
