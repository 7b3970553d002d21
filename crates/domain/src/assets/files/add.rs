//! Adding a file to a product, and deleting one.

use super::{NewFile, ProductFile, events, may_manage};
use crate::{
    assets::{Digest, Holder, Kept, Storeroom, Terms, charge, uploads::Origin},
    error::{Error, Result},
    id::{FileId, ProductId},
    idempotency::{Once, Outcome},
    permission::{Authorized, WriteProducts},
    shop::Shop,
};

/// Whether the caller may bring a file for a product, and how long it may be: what is left of the quotas is less than that
/// often enough, and nobody should send gigabytes to be told so at their end.
///
/// # Errors
/// Those of [`may_manage`]; [`Error::TooLarge`].
pub async fn admit(
    shop: &Shop,
    room: &Storeroom,
    by: &Authorized<WriteProducts>,
    product: ProductId,
    said: (Option<u64>, Option<Digest>),
) -> Result<Terms> {
    let mut tx = shop.store.begin().await?;
    let found = tx.products().find(product).await?;
    tx.rollback().await?;
    let found = found.ok_or(Error::NotFound("Product"))?;
    may_manage(by.principal(), &found)?;
    let (rules, (size, digest)) = (&shop.rules.assets, said);
    let holders = [Holder::Person(by.principal().user), Holder::Seller(found.seller)];
    let left = room.left(&rules.quotas, &holders, size.unwrap_or(1)).await?;
    Ok(Terms { size, digest, ..Terms::at_most(rules.file_max.min(left)) })
}

/// Adds a file whose bytes were put away to a product.
///
/// # Errors
/// Those of [`admit`]; [`Error::Unavailable`] when the bytes were taken out meanwhile, which only waiting for a day can do.
pub async fn add_file(
    shop: &Shop,
    by: &Authorized<WriteProducts>,
    product: ProductId,
    new: &NewFile,
    kept: &Kept,
    origin: Origin,
    once: &Once<'_, ProductFile>,
) -> Result<Outcome<ProductFile>> {
    let principal = by.principal();
    shop.write_once("add_file", once, |mut tx| async move {
        let found = tx.products().find(product).await?.ok_or(Error::NotFound("Product"))?;
        may_manage(principal, &found)?;
        let file = ProductFile {
            id: shop.id::<FileId>(),
            product,
            seller: found.seller,
            uploaded_by: principal.user,
            digest: kept.digest(),
            size: kept.size,
            told: new.clone(),
            downloads: 0,
            created_at: tx.now(),
        };
        origin.became(shop, &mut *tx, file.id.0, None).await?;
        charge(&mut *tx, &file.holders(), file.size, &shop.rules.assets.quotas).await?;
        tx.blobs().hold(kept, new.reach).await?;
        tx.files().insert(&file).await?;
        shop.record(&mut *tx, Some(principal.user), events::created(&file)).await?;
        tx.commit(file).await
    })
    .await
}

/// Deletes a file. Who takes it away just now may go on.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`].
pub async fn delete_file(shop: &Shop, by: &Authorized<WriteProducts>, id: FileId) -> Result<()> {
    let principal = by.principal();
    shop.write("delete_file", |mut tx| async move {
        let file = tx.files().find(id).await?.ok_or(Error::NotFound("File"))?;
        let product = tx.products().find(file.product).await?.ok_or(Error::NotFound("File"))?;
        crate::catalog::policy::may_change(principal, &product).map_err(|error| match error {
            Error::Forbidden(_) if file.is_public() => error,
            _ => Error::NotFound("File"),
        })?;
        let now = tx.now();
        super::purge::forget(&mut *tx, &file, now).await?;
        shop.record(&mut *tx, Some(principal.user), events::deleted(&file)).await?;
        tx.commit(()).await
    })
    .await
}
