//! Who holds the bytes of pictures.

use super::{Picture, gallery::Put};
use crate::{
    assets::{Holder, ports::Reach},
    catalog::Image,
    clock::Timestamp,
    error::Result,
    id::SellerId,
    store::Tx,
};

/// Holds the bytes of a picture, in the transaction that refers to them.
pub(super) async fn hold(tx: &mut dyn Tx, put: &Put) -> Result<()> {
    tx.blobs().hold(&put.source, Reach::Private).await?;
    for shown in &put.shown {
        tx.blobs().hold(shown, Reach::Public).await?;
    }
    Ok(())
}

/// Lets go of the bytes of a picture that nothing refers to any more.
pub(super) async fn release(tx: &mut dyn Tx, picture: &Picture, at: Timestamp) -> Result<()> {
    tx.blobs().release(&picture.source.piece.digest, Reach::Private, at).await?;
    for shown in picture.shown() {
        tx.blobs().release(&shown.digest, Reach::Public, at).await?;
    }
    Ok(())
}

/// Lets go of the pictures a product had before and has no longer, in the transaction that takes them from it.
pub(crate) async fn let_go(
    tx: &mut dyn Tx,
    seller: SellerId,
    before: &[Image],
    after: &[Image],
    at: Timestamp,
) -> Result<()> {
    for image in before.iter().filter(|image| !after.iter().any(|kept| kept.id == image.id)) {
        if let Some(picture) = &image.picture {
            release(tx, picture, at).await?;
            tx.usage().refund(Holder::Seller(seller), picture.bytes()).await?;
        }
    }
    Ok(())
}
