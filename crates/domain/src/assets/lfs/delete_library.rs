//! Deleting a library with all that lies in it.

use std::collections::BTreeMap;

use super::{events, library::enter};
use crate::{
    assets::{Holder, ports::Reach},
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
        let (now, mut objects) = (tx.now(), Vec::new());
        loop {
            let taken = tx.libraries().take(id, PORTION).await?;
            if taken.is_empty() {
                break;
            }
            objects.extend(taken);
        }
        // Most objects are of few people: they are counted together, so that a library of thousands does not keep other writers waiting.
        let mut bytes: BTreeMap<Holder, u64> = BTreeMap::new();
        for object in &objects {
            for holder in object.holders() {
                *bytes.entry(holder).or_default() += object.size;
            }
        }
        for (holder, bytes) in bytes {
            tx.usage().refund(holder, bytes).await?;
        }
        for object in &objects {
            tx.blobs().release(&object.digest, Reach::Private, now).await?;
        }
        let count = u64::try_from(objects.len()).map_err(Error::internal)?;
        tx.libraries().delete(id).await?;
        shop.record(&mut *tx, Some(who.user), events::deleted(&library, count)).await?;
        tx.commit(()).await
    })
    .await
}
