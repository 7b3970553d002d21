//! Deleting models and versions of them: what they hold is let go in the same transaction.

use super::{Model, Version, VersionNumber, events, upload};
use crate::{
    assets::ports::Reach,
    clock::Timestamp,
    error::{Error, Result},
    id::ModelId,
    permission::{Authorized, WriteProducts},
    shop::Shop,
    store::Tx,
};

/// How many models of products that are gone one transaction removes.
const BATCH: u32 = 100;

/// Deletes a version of a model.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`].
pub async fn delete_version(
    shop: &Shop,
    by: &Authorized<WriteProducts>,
    id: ModelId,
    number: VersionNumber,
) -> Result<()> {
    let user = by.principal().user;
    shop.write("delete_model_version", |mut tx| async move {
        let now = tx.now();
        let (mut model, product) = upload::model(&mut *tx, by, id).await?;
        let version = tx.models().find_version(id, number).await?.ok_or(Error::NotFound("Version"))?;
        let_go(&mut *tx, &model, &version, now).await?;
        tx.models().delete_version(id, number).await?;
        model.updated_at = now;
        tx.models().update(&model).await?;
        shop.record(&mut *tx, Some(user), events::version_deleted(&model, &product, &version)).await?;
        tx.commit(()).await
    })
    .await
}

/// Deletes a model with all its versions.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`].
pub async fn delete_model(shop: &Shop, by: &Authorized<WriteProducts>, id: ModelId) -> Result<()> {
    let user = by.principal().user;
    shop.write("delete_model", |mut tx| async move {
        let now = tx.now();
        let (model, product) = upload::model(&mut *tx, by, id).await?;
        remove(&mut *tx, &model, now).await?;
        shop.record(&mut *tx, Some(user), events::deleted(&model, &product)).await?;
        tx.commit(()).await
    })
    .await
}

/// Removes the models of products that are gone for good, in the transaction in which those went.
pub(crate) async fn clear_orphans(shop: &Shop, tx: &mut dyn Tx, now: Timestamp) -> Result<()> {
    loop {
        let orphans = tx.models().orphans(BATCH).await?;
        if orphans.is_empty() {
            return Ok(());
        }
        for model in &orphans {
            remove(tx, model, now).await?;
            shop.record(tx, None, events::purged(model)).await?;
        }
    }
}

async fn remove(tx: &mut dyn Tx, model: &Model, now: Timestamp) -> Result<()> {
    for version in tx.models().versions_of(model.id).await? {
        let_go(tx, model, &version, now).await?;
    }
    tx.models().delete(model.id).await
}

async fn let_go(tx: &mut dyn Tx, model: &Model, version: &Version, now: Timestamp) -> Result<()> {
    if let Some(digest) = &version.source {
        tx.blobs().release(digest, Reach::Private, now).await?;
        for holder in upload::holders(model, version) {
            tx.usage().refund(holder, version.size).await?;
        }
    }
    for rendition in &version.renditions {
        tx.blobs().release(&rendition.digest, Reach::Public, now).await?;
    }
    Ok(())
}
