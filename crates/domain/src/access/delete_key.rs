//! Deleting an API key.

use super::{ApiKey, events};
use crate::{
    actor::Principal,
    error::{Error, Result},
    id::ApiKeyId,
    organisation::{self, MemberRole},
    permission::{Authorized, ManageKeys},
    shop::Shop,
    store::Tx,
};

/// Deletes a key: no node takes it any more once this has returned.
///
/// # Errors
/// [`Error::NotFound`] for a key that is not one's own, nor of a seller account one owns.
pub async fn delete_key(shop: &Shop, by: Authorized<ManageKeys>, id: ApiKeyId) -> Result<()> {
    let who = by.principal();
    shop.write("delete_api_key", |mut tx| async move {
        let key = own_key(&mut *tx, who, id).await?;
        tx.api_keys().delete(id).await?;
        shop.record(&mut *tx, Some(who.user), events::key_deleted(&key)).await?;
        tx.commit(()).await
    })
    .await
}

/// A key of the caller, or of a seller account they own. To others it does not exist.
pub(super) async fn own_key(tx: &mut dyn Tx, who: &Principal, id: ApiKeyId) -> Result<ApiKey> {
    let unknown = || Error::NotFound("API key");
    let key = tx.api_keys().find(id).await?.ok_or_else(unknown)?;
    let role = match key.seller {
        Some(seller) => tx.organisations().member(seller, who.user).await?,
        None => None,
    };
    if is_own(who, &key, role) { Ok(key) } else { Err(unknown()) }
}

/// Whether a key is one's own, or of an account in which one has this role.
pub fn is_own(who: &Principal, key: &ApiKey, role: Option<MemberRole>) -> bool {
    match key.seller {
        None => key.user == who.user,
        Some(_) => organisation::policy::may_own(role).is_ok(),
    }
}
