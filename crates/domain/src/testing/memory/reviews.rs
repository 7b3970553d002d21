//! Reviews in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, page_of, state::State};
use crate::{
    catalog::{
        Review,
        ports::{ReviewQueries, ReviewRepo},
    },
    error::{Error, Result},
    id::{ProductId, ReviewId},
    page::{Page, PageRequest},
};

#[async_trait]
impl ReviewRepo for MemoryTx {
    async fn insert(&mut self, review: &Review) -> Result<bool> {
        let mut others = self.state.reviews.values();
        if others.any(|other| other.product == review.product && other.author == review.author) {
            return Ok(false);
        }
        self.write().reviews.insert(review.id, review.clone());
        Ok(true)
    }

    async fn insert_many(&mut self, reviews: &[Review]) -> Result<()> {
        let mut state = State::clone(&self.state);
        for review in reviews {
            let mut others = state.reviews.values();
            if others.any(|other| other.product == review.product && other.author == review.author) {
                return Err(Error::conflict("One of these reviews is its author's second of the product"));
            }
            state.reviews.insert(review.id, review.clone());
        }
        *self.write() = state;
        Ok(())
    }

    async fn find(&mut self, id: ReviewId) -> Result<Option<Review>> {
        Ok(self.state.reviews.get(&id).cloned())
    }

    async fn update(&mut self, review: &Review) -> Result<()> {
        if let Some(stored) = self.write().reviews.get_mut(&review.id) {
            *stored = review.clone();
        }
        Ok(())
    }

    async fn delete(&mut self, id: ReviewId) -> Result<()> {
        self.write().reviews.remove(&id);
        Ok(())
    }
}

impl State {
    /// The reviews of a product that are shown, newest first.
    pub(super) fn shown_reviews(&self, product: ProductId) -> Vec<Review> {
        let shown = |review: &&Review| review.product == product && !review.hidden;
        let mut reviews: Vec<_> = self.reviews.values().filter(shown).cloned().collect();
        reviews.sort_by_key(|review| std::cmp::Reverse((review.created_at, review.id)));
        reviews
    }
}

#[async_trait]
impl ReviewQueries for MemoryStore {
    async fn of_product(&self, product: ProductId, page: PageRequest) -> Result<Page<Review>> {
        Ok(page_of(self.state().shown_reviews(product), page))
    }

    async fn get(&self, id: ReviewId) -> Result<Option<Review>> {
        Ok(self.state().reviews.get(&id).cloned())
    }
}
