//! Describing, ordering and deleting the pictures of a product, uploaded and linked ones alike.

use super::{events, settle::let_go, upload::ALT_MAX};
use crate::{
    catalog::{Product, Version, policy, ports::Stored},
    error::{Error, Result, Violations},
    event::Change,
    id::{ImageId, ProductId},
    permission::{Authorized, WriteProducts},
    shop::Shop,
    text,
};

/// Says what a picture shows, or nothing.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Stale`], [`Error::Invalid`] for a text that is none.
pub async fn describe_image(
    shop: &Shop,
    by: Authorized<WriteProducts>,
    id: ProductId,
    image: ImageId,
    alt: Option<String>,
    expected: Option<&[Version]>,
) -> Result<Product> {
    let mut violations = Violations::default();
    if let Some(alt) = &alt
        && violations.check("/alt", text::line(alt, 1, ALT_MAX)).is_none()
    {
        return Err(violations.into());
    }
    let alt = &alt;
    change(shop, "describe_image", &by, id, expected, |after| {
        let found = after.images.iter_mut().find(|one| one.id == image).ok_or(Error::NotFound("Image"))?;
        found.alt.clone_from(alt);
        let found = found.clone();
        Ok(Box::new(move |after: &Product| events::described(after, &found)))
    })
    .await
}

/// Puts the pictures of a product into this order, which names each of them once.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Stale`], [`Error::Invalid`] when some are left out, named twice or
/// not its own.
pub async fn order_images(
    shop: &Shop,
    by: Authorized<WriteProducts>,
    id: ProductId,
    order: &[ImageId],
    expected: Option<&[Version]>,
) -> Result<Product> {
    change(shop, "order_images", &by, id, expected, |after| {
        let mut left = std::mem::take(&mut after.images);
        for image in order {
            let place = left.iter().position(|one| one.id == *image).ok_or_else(wrong_order)?;
            after.images.push(left.remove(place));
        }
        if left.is_empty() { Ok(Box::new(events::ordered)) } else { Err(wrong_order()) }
    })
    .await
}

fn wrong_order() -> Error {
    Error::invalid("/order", "each_once", "must name each picture of the product once")
}

/// Takes a picture from a product. What lay in the store for it is let go of.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Stale`].
pub async fn delete_image(
    shop: &Shop,
    by: Authorized<WriteProducts>,
    id: ProductId,
    image: ImageId,
    expected: Option<&[Version]>,
) -> Result<Product> {
    change(shop, "delete_image", &by, id, expected, |after| {
        let place = after.images.iter().position(|one| one.id == image).ok_or(Error::NotFound("Image"))?;
        let gone = after.images.remove(place);
        Ok(Box::new(move |after: &Product| events::removed(after, &gone)))
    })
    .await
}

/// What is told of a change once it has a version.
type Told = Box<dyn FnOnce(&Product) -> Change + Send>;

async fn change(
    shop: &Shop,
    name: &'static str,
    by: &Authorized<WriteProducts>,
    id: ProductId,
    expected: Option<&[Version]>,
    with: impl Fn(&mut Product) -> Result<Told> + Send + Sync,
) -> Result<Product> {
    let principal = by.principal();
    let with = &with;
    shop.write(name, |mut tx| async move {
        tx.products().hold(id).await?;
        let before = tx.products().find(id).await?.ok_or(Error::NotFound("Product"))?;
        policy::may_change(principal, &before)?;
        if before.deleted.is_some() {
            return Err(Error::NotFound("Product"));
        }
        if expected.is_some_and(|any| !any.contains(&before.version)) {
            return Err(Error::Stale("Product"));
        }
        let mut after = before.clone();
        let told = with(&mut after)?;
        after.version = before.version.next();
        after.updated_at = tx.now();
        if tx.products().update(&after, &before).await? != Stored::Yes {
            return Err(Error::internal("a change of pictures takes no name"));
        }
        let now = tx.now();
        let_go(&mut *tx, before.seller, &before.images, &after.images, now).await?;
        shop.record(&mut *tx, Some(principal.user), told(&after)).await?;
        tx.commit(after).await
    })
    .await
}
