//! Asking for an archive, and deleting one.

use super::{AT_MOST, DataExport, KEPT, MakeExport};
use crate::{
    error::{Error, Result},
    id::ExportId,
    identity::{Fresh, events},
    job::Request,
    permission::{Authorized, ChangeAccount},
    shop::Shop,
};

/// Asks for an archive of all that is kept of the caller. A job makes it.
///
/// # Errors
/// [`Error::Conflict`] while one is being made, and when [`AT_MOST`] are kept.
pub async fn request_export(shop: &Shop, by: &Fresh<ChangeAccount>) -> Result<DataExport> {
    by.authorized().in_person()?;
    let user = by.principal().user;
    shop.write("request_export", |mut tx| async move {
        let now = tx.now();
        let mut kept = tx.exports().of(user).await?;
        kept.retain(|export| export.expires_at > now);
        if kept.iter().any(|export| export.ready.is_none()) {
            return Err(Error::conflict("An archive is being made; wait for it, or delete it first"));
        }
        if kept.len() >= AT_MOST {
            return Err(Error::conflict(format!("At most {AT_MOST} archives are kept; delete one first")));
        }
        let export = DataExport { id: shop.id(), user, created_at: now, expires_at: now + KEPT, ready: None };
        tx.exports().insert(&export).await?;
        shop.enqueue(&mut *tx, Request::of(&MakeExport { export: export.id })).await?;
        shop.record(&mut *tx, Some(user), events::export_requested(user)).await?;
        tx.commit(export).await
    })
    .await
}

/// Deletes an archive, made or not.
///
/// # Errors
/// [`Error::NotFound`] also for somebody else's.
pub async fn delete_export(shop: &Shop, by: &Authorized<ChangeAccount>, id: ExportId) -> Result<()> {
    by.in_person()?;
    let user = by.principal().user;
    shop.write("delete_export", |mut tx| async move {
        let now = tx.now();
        let found = tx.exports().find(id).await?.filter(|export| export.user == user && export.expires_at > now);
        found.ok_or(Error::NotFound("Data export"))?;
        tx.exports().delete(id).await?;
        shop.record(&mut *tx, Some(user), events::export_deleted(user)).await?;
        tx.commit(()).await
    })
    .await
}
