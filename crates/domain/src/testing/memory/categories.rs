//! The category tree in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, state::State};
use crate::{
    catalog::{
        Category, ProductStatus,
        ports::{CategoryQueries, CategoryRepo},
        queries::CategoryCount,
    },
    error::{Error, Result},
    id::CategoryId,
};

#[async_trait]
impl CategoryRepo for MemoryTx {
    async fn insert(&mut self, category: &Category) -> Result<bool> {
        let free = self.state.category_slug_is_free(category);
        if free {
            self.write().categories.insert(category.id, category.clone());
        }
        Ok(free)
    }

    async fn find(&mut self, id: CategoryId) -> Result<Option<Category>> {
        Ok(self.state.categories.get(&id).cloned())
    }

    async fn existing(&mut self, ids: &[CategoryId]) -> Result<Vec<CategoryId>> {
        Ok(self.state.categories.keys().filter(|id| ids.contains(id)).copied().collect())
    }

    async fn all(&mut self) -> Result<Vec<Category>> {
        Ok(self.state.categories.values().cloned().collect())
    }

    async fn update(&mut self, category: &Category, old_path: &str) -> Result<bool> {
        if !self.state.category_slug_is_free(category) {
            return Ok(false);
        }
        let state = self.write();
        state.categories.insert(category.id, category.clone());
        for below in state.categories.values_mut().filter(|other| other.id != category.id) {
            if let Some(rest) = below.path.strip_prefix(old_path) {
                below.path = format!("{}{rest}", category.path);
            }
        }
        Ok(true)
    }

    async fn has_children(&mut self, id: CategoryId) -> Result<bool> {
        Ok(self.state.categories.values().any(|other| other.parent == Some(id)))
    }

    async fn delete(&mut self, id: CategoryId) -> Result<()> {
        let in_use = self.state.products.values().any(|product| product.category == Some(id))
            || self.state.categories.values().any(|other| other.parent == Some(id));
        if in_use {
            return Err(Error::internal("a category in use cannot be removed"));
        }
        self.write().categories.remove(&id);
        Ok(())
    }

    async fn lock_tree(&mut self) -> Result<()> {
        // Of two transactions that write, one is refused at its commit: the shape is held already.
        Ok(())
    }
}

impl State {
    fn category_slug_is_free(&self, category: &Category) -> bool {
        !self.categories.values().any(|other| other.id != category.id && other.slug == category.slug)
    }

    fn counted(&self, category: &Category) -> CategoryCount {
        let shown = self.live().filter(|product| product.status == ProductStatus::Published);
        let products = shown.filter(|product| product.category == Some(category.id)).count();
        CategoryCount { category: category.clone(), products: u64::try_from(products).unwrap_or(u64::MAX) }
    }

    fn walk_below(&self, parent: Option<CategoryId>, tree: &mut Vec<CategoryCount>) {
        let mut siblings: Vec<_> = self.categories.values().filter(|category| category.parent == parent).collect();
        siblings.sort_by(|a, b| (a.rank, &a.name, a.id).cmp(&(b.rank, &b.name, b.id)));
        for category in siblings {
            tree.push(self.counted(category));
            self.walk_below(Some(category.id), tree);
        }
    }
}

#[async_trait]
impl CategoryQueries for MemoryStore {
    async fn tree(&self) -> Result<Vec<CategoryCount>> {
        let mut tree = Vec::new();
        self.state().walk_below(None, &mut tree);
        Ok(tree)
    }

    async fn get(&self, id: CategoryId) -> Result<Option<CategoryCount>> {
        let state = self.state();
        Ok(state.categories.get(&id).map(|category| state.counted(category)))
    }
}
