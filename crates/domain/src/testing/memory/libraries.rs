//! Libraries of large files in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, page_of, state::State};
use crate::{
    assets::{
        Digest,
        lfs::{
            Library, LibraryName, LibrarySummary, Lock, LockFilter, LockPath, NamedLock, Object,
            ports::{LibraryQueries, LibraryRepo},
        },
    },
    error::Result,
    id::{LibraryId, LockId, SellerId},
    page::{Page, PageRequest},
};

#[async_trait]
impl LibraryRepo for MemoryTx {
    async fn find(&mut self, seller: SellerId, name: &LibraryName) -> Result<Option<Library>> {
        Ok(self.state.library(seller, name))
    }

    async fn by_id(&mut self, id: LibraryId) -> Result<Option<Library>> {
        Ok(self.state.libraries.get(&id).cloned())
    }

    async fn insert(&mut self, library: &Library) -> Result<bool> {
        if self.state.library(library.seller, &library.name).is_some() {
            return Ok(false);
        }
        self.write().libraries.insert(library.id, library.clone());
        Ok(true)
    }

    async fn add(&mut self, object: &Object) -> Result<bool> {
        let key = (object.library, object.digest);
        if self.state.library_objects.contains_key(&key) {
            return Ok(false);
        }
        self.write().library_objects.insert(key, object.clone());
        Ok(true)
    }

    async fn take(&mut self, library: LibraryId, limit: u32) -> Result<Vec<Object>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let keys: Vec<_> = self.state.objects_of(library).map(|one| (library, one.digest)).take(limit).collect();
        let objects = &mut self.write().library_objects;
        Ok(keys.iter().filter_map(|key| objects.remove(key)).collect())
    }

    async fn delete(&mut self, id: LibraryId) -> Result<()> {
        let state = self.write();
        state.library_locks.retain(|_, lock| lock.library != id);
        state.libraries.remove(&id);
        Ok(())
    }

    async fn lock(&mut self, lock: &Lock) -> Result<bool> {
        let taken = |one: &Lock| one.library == lock.library && one.path == lock.path;
        if self.state.library_locks.values().any(taken) {
            return Ok(false);
        }
        self.write().library_locks.insert(lock.id, lock.clone());
        Ok(true)
    }

    async fn lock_of(&mut self, library: LibraryId, path: &LockPath) -> Result<Option<NamedLock>> {
        let mut all = self.state.library_locks.values();
        let found = all.find(|lock| lock.library == library && lock.path == *path);
        Ok(found.map(|lock| self.state.named(lock)))
    }

    async fn lock_by_id(&mut self, library: LibraryId, id: LockId) -> Result<Option<NamedLock>> {
        let found = self.state.library_locks.get(&id).filter(|lock| lock.library == library);
        Ok(found.map(|lock| self.state.named(lock)))
    }

    async fn unlock(&mut self, id: LockId) -> Result<()> {
        self.write().library_locks.remove(&id);
        Ok(())
    }
}

#[async_trait]
impl LibraryQueries for MemoryStore {
    async fn account(&self, slug: &str) -> Result<Option<SellerId>> {
        Ok(self.state().sellers.values().find(|one| one.seller.slug == slug).map(|one| one.seller.id))
    }

    async fn find(&self, seller: SellerId, name: &LibraryName) -> Result<Option<Library>> {
        Ok(self.state().library(seller, name))
    }

    async fn sizes(&self, library: LibraryId, digests: &[Digest]) -> Result<Vec<(Digest, u64)>> {
        let state = self.state();
        let mut there: Vec<_> = state.objects_of(library).map(|one| (one.digest, one.size)).collect();
        there.retain(|(digest, _)| digests.contains(digest));
        Ok(there)
    }

    async fn locks(
        &self,
        library: LibraryId,
        filter: &LockFilter,
        after: Option<LockId>,
        limit: u32,
    ) -> Result<Vec<NamedLock>> {
        let state = self.state();
        let fits = |lock: &&Lock| {
            lock.library == library
                && after.is_none_or(|after| lock.id > after)
                && filter.id.is_none_or(|id| lock.id == id)
                && filter.path.as_ref().is_none_or(|path| lock.path.as_str() == path)
        };
        let found = state.library_locks.values().filter(fits).map(|lock| state.named(lock));
        Ok(found.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn list(&self, sellers: &[SellerId], page: PageRequest) -> Result<Page<LibrarySummary>> {
        let state = self.state();
        let found = state.libraries.values().filter(|library| sellers.contains(&library.seller));
        Ok(page_of(found.map(|library| state.summary(library)), page))
    }

    async fn get(&self, id: LibraryId) -> Result<Option<LibrarySummary>> {
        let state = self.state();
        Ok(state.libraries.get(&id).map(|library| state.summary(library)))
    }
}

impl State {
    fn library(&self, seller: SellerId, name: &LibraryName) -> Option<Library> {
        self.libraries.values().find(|one| one.seller == seller && one.name == *name).cloned()
    }

    fn objects_of(&self, library: LibraryId) -> impl Iterator<Item = &Object> {
        self.library_objects.values().filter(move |object| object.library == library)
    }

    fn named(&self, lock: &Lock) -> NamedLock {
        let owner = self.users.get(&lock.owner).map(|stored| stored.user.name.clone());
        NamedLock { lock: lock.clone(), owner_name: owner.unwrap_or_default() }
    }

    fn summary(&self, library: &Library) -> LibrarySummary {
        let seller = self.sellers.get(&library.seller).map(|stored| stored.seller.slug.clone());
        LibrarySummary {
            library: library.clone(),
            seller_slug: seller.unwrap_or_default(),
            objects: u64::try_from(self.objects_of(library.id).count()).unwrap_or(u64::MAX),
            bytes: self.objects_of(library.id).map(|object| object.size).sum(),
            locks: u64::try_from(self.library_locks.values().filter(|lock| lock.library == library.id).count())
                .unwrap_or(u64::MAX),
        }
    }
}
