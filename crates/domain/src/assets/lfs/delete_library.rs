//! Deleting a library with all that lies in it.

use super::{events, library::enter};
use crate::{
    assets::ports::Reach,
    error::{Error, Result},
    id::LibraryId,
    permission::{Authorized, WriteProducts},
    shop::Shop,
};

/// Objects taken out at once.
const PORTION: u32 = 500;

/// Deletes a library: its locks and its objects go, and bytes that nobody else holds are swept after a while.
///
/// # Errors
/// [`Error::NotFound`], also for one of an account that the caller is no member of.
pub async fn delete_library(shop: &Shop, by: &Authorized<WriteProducts>, id: LibraryId) -> Result<()> {
    let who = by.principal();
    shop.write("delete_library", |mut tx| async move {
        let library = tx.libraries().by_id(id).await?.ok_or(Error::NotFound("Library"))?;
        enter(who, Some(library.seller))?;
        let (now, mut objects) = (tx.now(), 0_u64);
        loop {
            let taken = tx.libraries().take(id, PORTION).await?;
            if taken.is_empty() {
                break;
            }
            for object in taken {
                objects += 1;
                for holder in object.holders() {
                    tx.usage().refund(holder, object.size).await?;
                }
                tx.blobs().release(&object.digest, Reach::Private, now).await?;
            }
        }
        tx.libraries().delete(id).await?;
        shop.record(&mut *tx, Some(who.user), events::deleted(&library, objects)).await?;
        tx.commit(()).await
    })
    .await
}
