//! Making renditions anew, after an operator set other sizes, qualities or colours.

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::{Gallery, Picture, View, events, settle};
use crate::{
    assets::Holder,
    catalog::{Image, Product, ports::Stored},
    error::{Error, Result},
    id::{ImageId, JobId, ProductId},
    job::{Job, Policy, Priority, Request},
    shop::Shop,
};

/// Products that one step looks at.
const STEP: u32 = 20;

/// A step of the walk over all products with a picture that was made by another recipe than the present one. It makes them
/// anew and stores the next step; where there is nothing left the walk ends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RerenderImages {
    /// Behind this product; from the first one on when there is none.
    pub after: Option<ProductId>,
}

impl Job for RerenderImages {
    const NAME: &'static str = "rerender_images";

    fn policy() -> Policy {
        Policy { priority: Priority::Low, at_once: 1, ..Policy::default() }
    }
}

/// One step. What was made already is not made again, so a step that is taken twice makes nothing twice. Products keep
/// their version, since nobody changed them; their `ETag` is another.
pub async fn rerender_images(shop: &Shop, gallery: &Gallery, step: &RerenderImages, job: JobId) -> Result<()> {
    let products = gallery.queries.outdated(gallery.imaging.recipe(), step.after, STEP).await?;
    let (mut made, mut failed) = (0, 0);
    for product in &products {
        for image in outdated(shop, gallery, *product).await? {
            match again(shop, gallery, *product, &image, job).await {
                Ok(true) => made += 1,
                Ok(false) => {}
                Err(error @ (Error::Transient(_) | Error::Unavailable { .. } | Error::Full(_))) => return Err(error),
                Err(error) => {
                    let cause: &dyn std::error::Error = &error;
                    tracing::error!(%product, image = %image.id, error = cause, "a picture cannot be made anew");
                    failed += 1;
                }
            }
        }
    }
    let products = &products;
    shop.write(RerenderImages::NAME, |mut tx| async move {
        let now = tx.now();
        if !tx.inbox().claim(RerenderImages::NAME, job.0, now).await? {
            return tx.commit(()).await;
        }
        if let Some(last) = products.last() {
            let told = events::step_made(job, RerenderImages::NAME, products.len(), made, failed);
            shop.record(&mut *tx, None, told).await?;
            shop.enqueue(&mut *tx, Request::of(&RerenderImages { after: Some(*last) })).await?;
        }
        tx.commit(()).await
    })
    .await
}

/// The pictures of a product that were made by another recipe.
async fn outdated(shop: &Shop, gallery: &Gallery, product: ProductId) -> Result<Vec<Image>> {
    let mut tx = shop.store.begin().await?;
    let found = tx.products().find(product).await;
    tx.rollback().await?;
    let images = found?.map(|product| product.images).unwrap_or_default();
    let old = |image: &Image| image.picture.as_ref().is_some_and(|picture| picture.recipe != gallery.imaging.recipe());
    Ok(images.into_iter().filter(old).collect())
}

/// Makes the renditions of one picture anew; `false` when it is gone or was made meanwhile.
async fn again(shop: &Shop, gallery: &Gallery, product: ProductId, image: &Image, job: JobId) -> Result<bool> {
    let Some(old) = &image.picture else { return Ok(false) };
    let Some(source) = read(gallery, old).await? else { return Ok(false) };
    let made = gallery.imaging.make(source, Some(old.source.orientation)).await?;
    let put = gallery.put(shop, made, old.key.clone(), old.revision + 1).await?;
    let put = &put;
    shop.write("rerender_image", |mut tx| async move {
        tx.products().hold(product).await?;
        let Some(before) = tx.products().find(product).await? else { return tx.commit(false).await };
        let mut after = before.clone();
        let Some(place) = place(&mut after, image.id).filter(|place| place.picture.as_ref() == Some(old)) else {
            return tx.commit(false).await;
        };
        place.url = put.picture.address(product, View::Main);
        place.picture = Some(Box::new(put.picture.clone()));
        let now = tx.now();
        settle::hold(&mut *tx, put).await?;
        settle::release(&mut *tx, old, now).await?;
        let holder = Holder::Seller(before.seller);
        // What the operator wants made is not refused to the seller.
        tx.usage().refund(holder, old.bytes()).await?;
        tx.usage().charge(holder, put.picture.bytes(), u64::MAX).await?;
        if tx.products().update(&after, &before).await? != Stored::Yes {
            return Err(Error::internal("a change of pictures takes no name"));
        }
        shop.record(&mut *tx, None, events::rerendered(job, RerenderImages::NAME, product, image.id)).await?;
        tx.commit(true).await
    })
    .await
}

fn place(product: &mut Product, image: ImageId) -> Option<&mut Image> {
    product.images.iter_mut().find(|one| one.id == image)
}

async fn read(gallery: &Gallery, picture: &Picture) -> Result<Option<Bytes>> {
    let Some(mut chunks) = gallery.room.read(&picture.source.piece.digest, None).await? else { return Ok(None) };
    let mut file = BytesMut::new();
    while let Some(chunk) = chunks.next().await? {
        file.extend_from_slice(&chunk);
    }
    Ok(Some(file.freeze()))
}
