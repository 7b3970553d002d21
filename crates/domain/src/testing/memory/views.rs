//! Product views in memory.

use std::sync::Arc;

use async_trait::async_trait;

use super::{MemoryStore, page_of};
use crate::{
    catalog::{ports::ViewLog, queries::ProductView},
    error::Result,
    id::UserId,
    page::{Page, PageRequest},
};

#[async_trait]
impl ViewLog for MemoryStore {
    async fn store(&self, views: &[ProductView]) -> Result<()> {
        let mut shared = self.shared();
        let state = Arc::make_mut(&mut shared.state);
        for view in views.iter().filter(|view| state.products.contains_key(&view.product)) {
            let at = state.views.entry((view.user, view.product)).or_insert(view.at);
            *at = view.at.max(*at);
        }
        Ok(())
    }

    async fn of_user(&self, user: UserId, page: PageRequest) -> Result<Page<ProductView>> {
        let state = self.state();
        let mut views: Vec<_> = state
            .views
            .iter()
            .filter(|((viewer, _), _)| *viewer == user)
            .map(|((user, product), at)| ProductView { product: *product, user: *user, at: *at })
            .collect();
        views.sort_by_key(|view| std::cmp::Reverse((view.at, view.product)));
        Ok(page_of(views, page))
    }
}
