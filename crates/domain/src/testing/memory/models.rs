//! 3D models, in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, page_of, state::State};
use crate::{
    assets::models::{
        Model, Version, VersionNumber, VersionState,
        ports::{ModelQueries, ModelRepo},
    },
    catalog::policy::Scope,
    error::Result,
    id::{ModelId, ProductId},
    page::{Page, PageRequest},
};

impl State {
    fn versions_of(&self, id: ModelId) -> impl DoubleEndedIterator<Item = &Version> {
        self.model_versions.iter().filter(move |((model, _), _)| *model == id).map(|(_, version)| version)
    }

    fn shows(&self, model: &Model, scope: Scope) -> bool {
        let product = model.product.and_then(|id| self.products.get(&id));
        product.is_some_and(|product| product.deleted.is_none() && scope.shows(product.seller, product.status))
    }
}

#[async_trait]
impl ModelRepo for MemoryTx {
    async fn insert(&mut self, model: &Model) -> Result<()> {
        self.write().models.insert(model.id, model.clone());
        Ok(())
    }

    async fn find(&mut self, id: ModelId) -> Result<Option<Model>> {
        Ok(self.state.models.get(&id).cloned())
    }

    async fn update(&mut self, model: &Model) -> Result<()> {
        if let Some(stored) = self.write().models.get_mut(&model.id) {
            stored.clone_from(model);
        }
        Ok(())
    }

    async fn insert_version(&mut self, version: &Version) -> Result<()> {
        self.write().model_versions.insert((version.model, version.number), version.clone());
        Ok(())
    }

    async fn find_version(&mut self, id: ModelId, number: VersionNumber) -> Result<Option<Version>> {
        Ok(self.state.model_versions.get(&(id, number)).cloned())
    }

    async fn versions_of(&mut self, id: ModelId) -> Result<Vec<Version>> {
        Ok(self.state.versions_of(id).cloned().collect())
    }

    async fn update_version(&mut self, version: &Version) -> Result<()> {
        if let Some(stored) = self.write().model_versions.get_mut(&(version.model, version.number)) {
            stored.clone_from(version);
        }
        Ok(())
    }

    async fn delete_version(&mut self, id: ModelId, number: VersionNumber) -> Result<()> {
        self.write().model_versions.remove(&(id, number));
        Ok(())
    }

    async fn delete(&mut self, id: ModelId) -> Result<()> {
        let state = self.write();
        state.models.remove(&id);
        state.model_versions.retain(|(model, _), _| *model != id);
        Ok(())
    }

    async fn orphans(&mut self, limit: u32) -> Result<Vec<Model>> {
        let gone = |model: &&Model| !model.product.is_some_and(|id| self.state.products.contains_key(&id));
        let orphans = self.state.models.values().filter(gone).take(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(orphans.map(|model| Model { product: None, ..model.clone() }).collect())
    }
}

#[async_trait]
impl ModelQueries for MemoryStore {
    async fn list(&self, scope: Scope, product: Option<ProductId>, page: PageRequest) -> Result<Page<Model>> {
        let state = self.state();
        let asked = |model: &&Model| product.is_none_or(|id| model.product == Some(id)) && state.shows(model, scope);
        Ok(page_of(state.models.values().rev().filter(asked).cloned(), page))
    }

    async fn get(&self, id: ModelId, scope: Scope) -> Result<Option<Model>> {
        let state = self.state();
        Ok(state.models.get(&id).filter(|model| state.shows(model, scope)).cloned())
    }

    async fn versions(&self, id: ModelId, page: PageRequest) -> Result<Page<Version>> {
        Ok(page_of(self.state().versions_of(id).rev().cloned(), page))
    }

    async fn version(&self, id: ModelId, number: Option<VersionNumber>) -> Result<Option<Version>> {
        let state = self.state();
        let asked = |version: &&Version| match number {
            Some(number) => version.number == number,
            None => version.state == VersionState::Ready,
        };
        Ok(state.versions_of(id).rev().find(asked).cloned())
    }

    async fn processing(&self, limit: u32) -> Result<Vec<(ModelId, VersionNumber)>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let state = self.state();
        let waiting = state.model_versions.iter().filter(|(_, version)| version.state == VersionState::Processing);
        Ok(waiting.take(limit).map(|(key, _)| *key).collect())
    }
}
