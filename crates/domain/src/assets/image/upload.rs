//! Uploading a picture of a product.

use bytes::Bytes;

use super::{FILE_MAX, Gallery, Key, View, events, gallery::too_large, settle};
use crate::{
    assets::{Holder, charge},
    catalog::{IMAGES_MAX, Image, Product, policy, ports::Stored},
    error::{Error, Result, Violations},
    id::{ImageId, ProductId},
    idempotency::{Once, Outcome},
    permission::{Authorized, WriteProducts},
    shop::Shop,
    text,
};

/// Most characters of what a picture shows.
pub(super) const ALT_MAX: usize = 300;

/// A picture to upload.
#[derive(Debug, Clone)]
pub struct NewImage {
    /// The file, whatever it is.
    pub file: Bytes,
    /// What it was said to be, such as `image/png`; nothing when nothing was said.
    pub said: Option<String>,
    /// What it shows, for those who do not see it.
    pub alt: Option<String>,
}

/// A picture that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// The product it is of, with it.
    pub product: Product,
    /// The picture.
    pub image: Image,
}

/// Whether somebody may upload a picture of this product; asked before their bytes are read.
///
/// # Errors
/// Those of [`upload_image`] that do not depend on the file.
pub async fn may_upload(shop: &Shop, by: &Authorized<WriteProducts>, id: ProductId) -> Result<()> {
    let mut tx = shop.store.begin().await?;
    let found = tx.products().find(id).await;
    tx.rollback().await?;
    open_to(by, found?).map(|_| ())
}

/// The product, when this person may add a picture to it.
fn open_to(by: &Authorized<WriteProducts>, found: Option<Product>) -> Result<Product> {
    let product = found.ok_or(Error::NotFound("Product"))?;
    policy::may_change(by.principal(), &product)?;
    if product.deleted.is_some() {
        return Err(Error::NotFound("Product"));
    }
    if product.images.len() >= IMAGES_MAX {
        return Err(Error::conflict(format!("A product has at most {IMAGES_MAX} pictures; delete one first")));
    }
    Ok(product)
}

/// Adds a picture to a product of the caller's, behind those it has: makes its renditions and puts all bytes away, then
/// stores it, the audit row and the event in one transaction.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`] "You cannot edit this product", [`Error::Conflict`] when it has as many as may
/// be, [`Error::Invalid`] when the file is no picture that is taken, [`Error::TooLarge`] when the seller account would keep
/// more than it may.
pub async fn upload_image(
    shop: &Shop,
    gallery: &Gallery,
    by: Authorized<WriteProducts>,
    id: ProductId,
    new: NewImage,
    once: &Once<'_, Uploaded>,
) -> Result<Outcome<Uploaded>> {
    if new.file.len() >= FILE_MAX {
        return Err(too_large());
    }
    let mut violations = Violations::default();
    let alt = match &new.alt {
        Some(alt) => violations.check("/alt", text::line(alt, 1, ALT_MAX)).map(Some),
        None => Some(None),
    };
    let Some(alt) = alt else { return Err(violations.into()) };
    let made = gallery.imaging.make(new.file, None).await?;
    if let Some(said) = new.said.as_deref()
        && !fits(said, made.media_type)
    {
        let message = format!("File must be an image of the type it is sent as; it is {}", made.media_type);
        return Err(Error::invalid("/file", "media_type", message));
    }
    let put = gallery.put(shop, made, Key::new(&*shop.entropy), 1).await?;
    let image = Image {
        id: shop.id::<ImageId>(),
        url: put.picture.address(id, View::Main),
        alt,
        picture: Some(Box::new(put.picture.clone())),
    };
    let (by, put, image) = (&by, &put, &image);
    shop.write_once("upload_image", once, |mut tx| async move {
        // Pictures of one product that come at once wait for each other, since each is a change of it.
        tx.products().hold(id).await?;
        let before = open_to(by, tx.products().find(id).await?)?;
        settle::hold(&mut *tx, put).await?;
        charge(&mut *tx, &[Holder::Seller(before.seller)], put.picture.bytes(), &gallery.quotas).await?;
        let mut after = before.clone();
        after.images.push(image.clone());
        after.version = before.version.next();
        after.updated_at = tx.now();
        if tx.products().update(&after, &before).await? != Stored::Yes {
            return Err(Error::internal("a change of pictures takes no name"));
        }
        shop.record(&mut *tx, Some(by.principal().user), events::added(&after, image)).await?;
        tx.commit(Uploaded { product: after, image: image.clone() }).await
    })
    .await
}

/// Whether a file of that type may have been sent as this one. A type that says nothing fits all.
fn fits(said: &str, is: &str) -> bool {
    let said = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let said = if said == "image/jpg" || said == "image/pjpeg" { "image/jpeg" } else { said.as_str() };
    matches!(said, "" | "application/octet-stream" | "image/*" | "*/*") || said == is
}
