//! Archives of what is kept of people, in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, page_of};
use crate::{
    clock::Timestamp,
    error::Result,
    id::{ExportId, UserId},
    identity::exports::{
        DataExport, Ready,
        ports::{DataExportQueries, DataExportRepo},
    },
    page::{Page, PageRequest},
};

#[async_trait]
impl DataExportRepo for MemoryTx {
    async fn insert(&mut self, export: &DataExport) -> Result<()> {
        self.write().exports.insert(export.id, (export.clone(), Vec::new()));
        Ok(())
    }

    async fn of(&mut self, user: UserId) -> Result<Vec<DataExport>> {
        let all = self.state.exports.values().map(|(export, _)| export);
        Ok(all.filter(|export| export.user == user).cloned().collect())
    }

    async fn find(&mut self, id: ExportId) -> Result<Option<DataExport>> {
        Ok(self.state.exports.get(&id).map(|(export, _)| export.clone()))
    }

    async fn make_ready(&mut self, id: ExportId, ready: Ready) -> Result<bool> {
        let found = self.write().exports.get_mut(&id).filter(|(export, _)| export.ready.is_none());
        Ok(found.map(|(export, _)| export.ready = Some(ready)).is_some())
    }

    async fn put_chunk(&mut self, id: ExportId, _: u32, sealed: &[u8]) -> Result<()> {
        if let Some((_, chunks)) = self.write().exports.get_mut(&id) {
            chunks.push(sealed.to_vec());
        }
        Ok(())
    }

    async fn delete(&mut self, id: ExportId) -> Result<()> {
        self.write().exports.remove(&id);
        Ok(())
    }
}

#[async_trait]
impl DataExportQueries for MemoryStore {
    async fn list(&self, user: UserId, now: Timestamp, page: PageRequest) -> Result<Page<DataExport>> {
        let state = self.state();
        let all = state.exports.values().rev().map(|(export, _)| export);
        Ok(page_of(all.filter(|export| export.user == user && export.expires_at > now).cloned(), page))
    }

    async fn get(&self, user: UserId, id: ExportId, now: Timestamp) -> Result<Option<DataExport>> {
        let state = self.state();
        let found = state.exports.get(&id).map(|(export, _)| export);
        Ok(found.filter(|export| export.user == user && export.expires_at > now).cloned())
    }

    async fn chunk(&self, id: ExportId, n: u32) -> Result<Option<Vec<u8>>> {
        let (state, n) = (self.state(), usize::try_from(n).unwrap_or(usize::MAX));
        Ok(state.exports.get(&id).and_then(|(_, chunks)| chunks.get(n).cloned()))
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64> {
        let mut shared = self.shared();
        let state = std::sync::Arc::make_mut(&mut shared.state);
        let ended = state.exports.values().filter(|(export, _)| export.expires_at <= before);
        let take = usize::try_from(limit).unwrap_or(usize::MAX);
        let gone: Vec<_> = ended.map(|(export, _)| export.id).take(take).collect();
        for id in &gone {
            state.exports.remove(id);
        }
        Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
    }
}
