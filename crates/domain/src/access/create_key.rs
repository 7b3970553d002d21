//! Making an API key.

use super::{ApiKey, KeyText, MadeKey, NewKey, authenticate::digest, events, policy, ports::KeysOf};
use crate::{
    error::{Error, Result},
    id::ApiKeyId,
    idempotency::{Once, Outcome},
    identity::Fresh,
    organisation,
    permission::{ManageKeys, Permissions},
    secrets::Mac,
    shop::Shop,
};

/// The most keys of one person, and of one seller account.
const MOST: u64 = 100;

/// Makes a key for the caller, or for a seller account they own. Its text is there this once; only a keyed hash is kept.
///
/// # Errors
/// [`Error::Forbidden`] for a scope the owner does not have; [`Error::NotFound`] for a seller account one is no member of,
/// [`Error::Forbidden`] for one that one does not own; [`Error::Conflict`] when there are too many.
pub async fn create_key(
    shop: &Shop,
    mac: &dyn Mac,
    by: Fresh<ManageKeys>,
    new: NewKey,
    once: &Once<'_, MadeKey>,
) -> Result<Outcome<MadeKey>> {
    let (who, new) = (by.principal(), &new);
    policy::may_give(who, new.scopes)?;
    shop.write_once("create_api_key", once, |mut tx| async move {
        let of = match new.seller {
            None => KeysOf::User(who.user),
            Some(seller) => {
                organisation::policy::may_own(tx.organisations().member(seller, who.user).await?)?;
                let others: Vec<_> = new.scopes.without(Permissions::OF_SELLERS).names().collect();
                if !others.is_empty() {
                    let message = format!("A key of a seller account cannot be for {}", others.join(", "));
                    return Err(Error::forbidden(message));
                }
                KeysOf::Seller(seller)
            }
        };
        if tx.api_keys().count(of).await? >= MOST {
            return Err(Error::conflict(format!(
                "There are {MOST} keys already; delete one that is not used any more"
            )));
        }
        let id = shop.id::<ApiKeyId>();
        let text = KeyText::draw(id, &*shop.entropy);
        let key = ApiKey {
            id,
            name: new.name.clone(),
            user: who.user,
            seller: new.seller,
            scopes: new.scopes,
            hint: text.hint().to_owned(),
            per_minute: new.per_minute,
            models: new.models.clone(),
            expires_at: new.expires_at,
            created_at: tx.now(),
            last_used_at: None,
        };
        tx.api_keys().insert(&key, &digest(mac, &text)).await?;
        shop.record(&mut *tx, Some(who.user), events::key_created(&key)).await?;
        tx.commit(MadeKey { key, text }).await
    })
    .await
}
