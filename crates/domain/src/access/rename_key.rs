//! Giving an API key another name.

use super::{ApiKey, api_key::key_name, delete_key::own_key, events};
use crate::{
    error::{Result, Violations},
    id::ApiKeyId,
    permission::{Authorized, ManageKeys},
    shop::Shop,
};

/// Gives a key another name; what it is for stays.
///
/// # Errors
/// [`crate::Error::NotFound`] for a key that is not one's own, nor of a seller account one owns;
/// [`crate::Error::Invalid`] for what is no name.
pub async fn rename_key(shop: &Shop, by: Authorized<ManageKeys>, id: ApiKeyId, name: &str) -> Result<ApiKey> {
    let who = by.principal();
    let mut violations = Violations::default();
    let name = violations.check("/name", key_name(name));
    violations.into_result()?;
    let name = &name.unwrap_or_default();
    shop.write("rename_api_key", |mut tx| async move {
        let mut key = own_key(&mut *tx, who, id).await?;
        if key.name != *name {
            key.name.clone_from(name);
            tx.api_keys().rename(id, name).await?;
            shop.record(&mut *tx, Some(who.user), events::key_renamed(&key)).await?;
        }
        tx.commit(key).await
    })
    .await
}
