//! The write side of products in memory.

use async_trait::async_trait;

use super::{MemoryStore, MemoryTx, state::State};
use crate::{
    catalog::{
        Product, STOCK_MAX, Slug,
        export::ProductExport,
        ports::{ProductRepo, Stored},
    },
    clock::Timestamp,
    error::{Error, Result},
    id::{CategoryId, ProductId, SellerId},
};

impl State {
    /// Whether slug and sku of a product are free; a deleted product asks for neither.
    fn room_for(&self, product: &Product) -> Stored {
        if product.deleted.is_some() {
            return Stored::Yes;
        }
        let mut others = self.live().filter(|other| other.id != product.id && other.seller == product.seller);
        if product.sku.is_some() && others.any(|other| other.sku == product.sku) {
            return Stored::SkuTaken;
        }
        let mut others = self.live().filter(|other| other.id != product.id);
        if others.any(|other| other.slug == product.slug) {
            return Stored::SlugTaken;
        }
        Stored::Yes
    }
}

#[async_trait]
impl ProductRepo for MemoryTx {
    async fn insert(&mut self, product: &mut Product) -> Result<Stored> {
        if product.category.is_some_and(|category| !self.state.categories.contains_key(&category)) {
            return Ok(Stored::NoCategory);
        }
        let mut stored = self.state.room_for(product);
        if stored == Stored::SlugTaken {
            product.slug = product.slug.with_suffix(product.id.0);
            stored = self.state.room_for(product);
        }
        if stored == Stored::Yes {
            self.write().products.insert(product.id, product.clone());
        }
        Ok(stored)
    }

    async fn find(&mut self, id: ProductId) -> Result<Option<Product>> {
        Ok(self.state.products.get(&id).cloned())
    }

    async fn find_many(&mut self, ids: &[ProductId]) -> Result<Vec<Product>> {
        Ok(self.state.live().filter(|product| ids.contains(&product.id)).cloned().collect())
    }

    async fn by_sku(&mut self, seller: SellerId, skus: &[String]) -> Result<Vec<Product>> {
        let asked =
            |product: &&Product| product.seller == seller && product.sku.as_ref().is_some_and(|sku| skus.contains(sku));
        Ok(self.state.live().filter(asked).cloned().collect())
    }

    async fn update(&mut self, after: &Product, before: &Product) -> Result<Stored> {
        let same = |held: &&Product| held.version == before.version;
        let Some(before) = self.state.products.get(&after.id).filter(same).cloned() else {
            return Err(Error::Stale("Product"));
        };
        let stored = self.state.room_for(after);
        if stored == Stored::Yes {
            let after = Product { stock: before.stock, rating: before.rating, ..after.clone() };
            let state = self.write();
            if before.slug != after.slug {
                state.old_slugs.insert(before.slug.to_string(), before.id);
            }
            state.products.insert(after.id, after);
        }
        Ok(stored)
    }

    async fn add_stock(
        &mut self,
        id: ProductId,
        delta: i64,
        expected: Option<i64>,
        at: Timestamp,
    ) -> Result<Option<i64>> {
        let found = self.write().products.get_mut(&id).filter(|product| product.deleted.is_none());
        let Some(product) = found else { return Ok(None) };
        if expected.is_some_and(|expected| expected != product.stock) {
            return Ok(None);
        }
        let Some(stock) = product.stock.checked_add(delta).filter(|stock| (0..=STOCK_MAX).contains(stock)) else {
            return Ok(None);
        };
        product.stock = stock;
        product.updated_at = at;
        Ok(Some(stock))
    }

    async fn add_rating(&mut self, id: ProductId, sum: i64, count: i64) -> Result<()> {
        if let Some(product) = self.write().products.get_mut(&id) {
            product.rating.sum += sum;
            product.rating.count += count;
        }
        Ok(())
    }

    async fn move_category(
        &mut self,
        from: CategoryId,
        to: Option<CategoryId>,
        at: Timestamp,
    ) -> Result<Vec<ProductId>> {
        let mut moved = Vec::new();
        for product in self.write().products.values_mut().filter(|product| product.category == Some(from)) {
            product.category = to;
            product.version = product.version.next();
            product.updated_at = at;
            if product.deleted.is_none() {
                moved.push(product.id);
            }
        }
        Ok(moved)
    }

    async fn any_in(&mut self, category: CategoryId) -> Result<bool> {
        Ok(self.state.live().any(|product| product.category == Some(category)))
    }

    async fn purge(&mut self, before: Timestamp, limit: u32) -> Result<Vec<Product>> {
        let has_files = |id| self.state.files.values().any(|file| file.product == id);
        let due =
            |product: &&Product| product.deleted.is_some_and(|deleted| deleted.at < before) && !has_files(product.id);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let gone: Vec<_> = self.state.products.values().filter(due).take(limit).cloned().collect();
        let ids: Vec<_> = gone.iter().map(|product| product.id).collect();
        if !ids.is_empty() {
            let state = self.write();
            state.products.retain(|id, _| !ids.contains(id));
            state.old_slugs.retain(|_, id| !ids.contains(id));
            state.reviews.retain(|_, review| !ids.contains(&review.product));
            state.views.retain(|(_, id), _| !ids.contains(id));
            state.grants.retain(|(id, _), _| !ids.contains(id));
        }
        Ok(gone)
    }

    async fn hold(&mut self, _: ProductId) -> Result<()> {
        // Of two transactions that change the same, one loses here in any case.
        Ok(())
    }

    async fn insert_many(&mut self, products: &[Product]) -> Result<()> {
        let mut state = State::clone(&self.state);
        for product in products {
            if state.room_for(product) != Stored::Yes {
                return Err(Error::conflict("One of these products has a slug or sku that is taken"));
            }
            state.products.insert(product.id, product.clone());
        }
        *self.write() = state;
        Ok(())
    }

    /// Words are not kept here: a search finds them each time.
    async fn reindex(&mut self, _: &[ProductId]) -> Result<u64> {
        Ok(0)
    }

    async fn taken_slugs(&mut self, slugs: &[Slug]) -> Result<Vec<Slug>> {
        Ok(self.state.live().map(|product| &product.slug).filter(|slug| slugs.contains(slug)).cloned().collect())
    }
}

#[async_trait]
impl ProductExport for MemoryStore {
    async fn next(&self, seller: Option<SellerId>, after: Option<ProductId>, limit: u32) -> Result<Vec<Product>> {
        let state = self.state();
        let wanted = state.live().filter(|product| seller.is_none_or(|seller| product.seller == seller));
        let rest = wanted.filter(|product| after.is_none_or(|after| product.id > after));
        Ok(rest.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect())
    }
}
