//! Locking a file, and letting it go.

use super::{Address, Lock, LockPath, Locked, NamedLock, events, library::enter, store_object::open};
use crate::{
    error::{Error, Result},
    id::LockId,
    permission::{Authorized, WriteProducts},
    shop::Shop,
};

/// Locks a file for the caller. Of several who want it at once one gets it.
///
/// # Errors
/// [`Error::NotFound`] for the library, where they may not enter.
pub async fn lock_file(shop: &Shop, by: &Authorized<WriteProducts>, at: &Address, path: &LockPath) -> Result<Locked> {
    let who = by.principal();
    shop.write("lock_lfs_file", |mut tx| async move {
        let account = tx.sellers().by_slug(&at.seller).await?.map(|owner| owner.seller);
        let library = open(shop, &mut *tx, enter(who, account)?, at, who.user).await?;
        let lock = Lock {
            id: shop.id::<LockId>(),
            library: library.id,
            path: path.clone(),
            owner: who.user,
            locked_at: tx.now(),
        };
        let new = tx.libraries().lock(&lock).await?;
        let stands = tx.libraries().lock_of(library.id, path).await?;
        let stands = stands.ok_or_else(|| Error::Transient("the lock was let go meanwhile".into()))?;
        if !new {
            return Ok(tx.discard(Locked::Taken(stands)));
        }
        shop.record(&mut *tx, Some(who.user), events::locked(&library, &lock)).await?;
        tx.commit(Locked::New(stands)).await
    })
    .await
}

/// Lets a file go: one's own lock, and with `force` that of any other member.
///
/// # Errors
/// [`Error::NotFound`] for the lock and for the library; [`Error::Forbidden`] for the lock of somebody else without `force`.
pub async fn unlock_file(
    shop: &Shop,
    by: &Authorized<WriteProducts>,
    at: &Address,
    id: LockId,
    force: bool,
) -> Result<NamedLock> {
    let who = by.principal();
    shop.write("unlock_lfs_file", |mut tx| async move {
        let account = tx.sellers().by_slug(&at.seller).await?.map(|owner| owner.seller);
        let library = tx.libraries().find(enter(who, account)?, &at.name).await?.ok_or(Error::NotFound("Lock"))?;
        let named = tx.libraries().lock_by_id(library.id, id).await?.ok_or(Error::NotFound("Lock"))?;
        if named.lock.owner != who.user && !force {
            return Err(Error::forbidden(format!(
                "{} locked this file; --force takes the lock away",
                named.owner_name
            )));
        }
        tx.libraries().unlock(id).await?;
        shop.record(&mut *tx, Some(who.user), events::unlocked(&library, &named.lock)).await?;
        tx.commit(named).await
    })
    .await
}
