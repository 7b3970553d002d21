//! Uploaded pictures, read side.

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    assets::image::{Key, Picture, ports::PictureQueries},
    error::Result,
    id::ProductId,
};

#[async_trait]
impl PictureQueries for MemoryStore {
    async fn find(&self, product: ProductId, key: &Key) -> Result<Option<Picture>> {
        let state = self.state();
        let found = state.products.get(&product).filter(|product| product.deleted.is_none());
        let mut pictures =
            found.into_iter().flat_map(|product| &product.images).filter_map(|image| image.picture.as_ref());
        Ok(pictures.find(|picture| picture.key == *key).map(|picture| Picture::clone(picture)))
    }

    async fn outdated(&self, recipe: &str, after: Option<ProductId>, limit: u32) -> Result<Vec<ProductId>> {
        let state = self.state();
        let old = |picture: &Picture| picture.recipe != recipe;
        let products = state.products.values().filter(|product| {
            product.deleted.is_none()
                && after.is_none_or(|after| product.id > after)
                && product.images.iter().filter_map(|image| image.picture.as_deref()).any(old)
        });
        Ok(products.map(|product| product.id).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }
}
