//! Files of products and grants, in memory.

use std::sync::Arc;

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, page_of};
use crate::{
    assets::files::{
        Grant, ProductFile,
        ports::{FileQueries, FileRepo, FoundFile, GrantRepo},
    },
    clock::Timestamp,
    error::Result,
    id::{FileId, GrantId, ProductId, UserId},
    page::{Page, PageRequest},
};

#[async_trait]
impl FileRepo for MemoryTx {
    async fn insert(&mut self, file: &ProductFile) -> Result<()> {
        self.write().files.insert(file.id, file.clone());
        Ok(())
    }

    async fn find(&mut self, id: FileId) -> Result<Option<ProductFile>> {
        Ok(self.state.files.get(&id).cloned())
    }

    async fn delete(&mut self, id: FileId) -> Result<()> {
        self.write().files.remove(&id);
        Ok(())
    }

    async fn of_deleted(&mut self, before: Timestamp, limit: u32) -> Result<Vec<ProductFile>> {
        let due = |file: &&ProductFile| {
            let product = self.state.products.get(&file.product);
            product.and_then(|product| product.deleted.as_ref()).is_some_and(|deleted| deleted.at < before)
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.state.files.values().filter(due).take(limit).cloned().collect())
    }
}

#[async_trait]
impl GrantRepo for MemoryTx {
    async fn insert(&mut self, grant: &Grant) -> Result<bool> {
        let key = (grant.product, grant.user);
        if self.state.grants.contains_key(&key) {
            return Ok(false);
        }
        self.write().grants.insert(key, *grant);
        Ok(true)
    }

    async fn remove(&mut self, product: ProductId, user: UserId) -> Result<Option<Grant>> {
        Ok(self.write().grants.remove(&(product, user)))
    }
}

#[async_trait]
impl FileQueries for MemoryStore {
    async fn get(&self, id: FileId) -> Result<Option<FoundFile>> {
        let state = self.state();
        Ok(state.files.get(&id).map(|file| {
            let product = state.products.get(&file.product).filter(|product| product.deleted.is_none());
            FoundFile { file: file.clone(), product: product.map(|product| product.status) }
        }))
    }

    async fn list(&self, product: ProductId, all: bool, page: PageRequest) -> Result<Page<ProductFile>> {
        let state = self.state();
        let files = state.files.values().rev().filter(|file| file.product == product && (all || file.is_public()));
        Ok(page_of(files.cloned(), page))
    }

    async fn grant_of(&self, product: ProductId, user: UserId) -> Result<Option<GrantId>> {
        Ok(self.state().grants.get(&(product, user)).map(|grant| grant.id))
    }

    async fn grants(&self, product: ProductId, page: PageRequest) -> Result<Page<Grant>> {
        let state = self.state();
        let mut grants: Vec<Grant> = state.grants.values().filter(|grant| grant.product == product).copied().collect();
        grants.sort_unstable_by_key(|grant| std::cmp::Reverse(grant.id));
        Ok(page_of(grants, page))
    }

    async fn downloaded(&self, times: &[(FileId, u64)]) -> Result<()> {
        let mut shared = self.shared();
        let state = Arc::make_mut(&mut shared.state);
        for (id, times) in times {
            if let Some(file) = state.files.get_mut(id) {
                file.downloads += times;
            }
        }
        Ok(())
    }
}
