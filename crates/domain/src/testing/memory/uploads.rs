//! Uploads in portions, in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, state::State};
use crate::{
    assets::{
        Digest,
        uploads::{
            Part, Resumable, UploadState,
            ports::{UploadQueries, UploadRepo},
        },
    },
    clock::Timestamp,
    error::Result,
    id::{UploadId, UserId},
};

impl State {
    fn parts(&self, id: UploadId) -> Vec<(Digest, u64)> {
        let parts = self.upload_parts.iter().filter(|((of, _), _)| *of == id);
        parts.map(|(_, part)| (part.kept.digest(), part.kept.size)).collect()
    }
}

#[async_trait]
impl UploadRepo for MemoryTx {
    async fn insert(&mut self, upload: &Resumable) -> Result<()> {
        self.write().uploads.insert(upload.id, upload.clone());
        Ok(())
    }

    async fn find(&mut self, id: UploadId) -> Result<Option<Resumable>> {
        Ok(self.state.uploads.get(&id).cloned())
    }

    async fn update(&mut self, upload: &Resumable) -> Result<()> {
        self.write().uploads.insert(upload.id, upload.clone());
        Ok(())
    }

    async fn open_of(&mut self, user: UserId) -> Result<u64> {
        let open = self.state.uploads.values().filter(|upload| upload.by == user && upload.is_open());
        Ok(u64::try_from(open.count()).unwrap_or(u64::MAX))
    }

    async fn add_part(&mut self, id: UploadId, part: &Part) -> Result<()> {
        self.write().upload_parts.insert((id, part.offset), *part);
        Ok(())
    }

    async fn take_parts(&mut self, id: UploadId) -> Result<Vec<Digest>> {
        let parts = self.state.parts(id);
        self.write().upload_parts.retain(|(of, _), _| *of != id);
        let mut digests: Vec<_> = parts.into_iter().map(|(digest, _)| digest).collect();
        digests.sort_unstable();
        Ok(digests)
    }

    async fn delete(&mut self, id: UploadId) -> Result<()> {
        self.write().uploads.remove(&id);
        Ok(())
    }

    async fn expired(&mut self, before: Timestamp, limit: u32) -> Result<Vec<Resumable>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let over = self.state.uploads.values().filter(|upload| upload.expires_at < before);
        Ok(over.take(limit).cloned().collect())
    }
}

#[async_trait]
impl UploadQueries for MemoryStore {
    async fn get(&self, id: UploadId) -> Result<Option<Resumable>> {
        Ok(self.state().uploads.get(&id).cloned())
    }

    async fn parts(&self, id: UploadId) -> Result<Vec<(Digest, u64)>> {
        Ok(self.state().parts(id))
    }

    async fn finishing(&self, limit: u32) -> Result<Vec<UploadId>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let state = self.state();
        let finishing = state.uploads.values().filter(|upload| upload.state == UploadState::Finishing);
        Ok(finishing.take(limit).map(|upload| upload.id).collect())
    }
}
