//! Renaming and deleting one's passkeys.

use super::Passkey;
use crate::{
    error::{Error, Result},
    id::{PasskeyId, UserId},
    identity::{
        Fresh, Mailroom, Method, Notice,
        doors::doors,
        factors::{events, ports::FactorQueries},
    },
    permission::{Authorized, ChangeAccount},
    shop::Shop,
    store::Tx,
};

/// Gives a passkey another name.
///
/// # Errors
/// [`Error::NotFound`] also for somebody else's.
pub async fn rename_passkey(shop: &Shop, by: &Authorized<ChangeAccount>, id: PasskeyId, name: &str) -> Result<Passkey> {
    let user = by.principal().user;
    shop.write("rename_passkey", |mut tx| async move {
        let mut passkey = own(&mut *tx, user, id).await?;
        if passkey.name != name {
            name.clone_into(&mut passkey.name);
            tx.passkeys().rename(id, name).await?;
            shop.record(&mut *tx, Some(user), events::passkey_renamed(user)).await?;
        }
        tx.commit(passkey).await
    })
    .await
}

/// Deletes a passkey, unless it is the last way in. The owner is told by letter.
///
/// # Errors
/// [`Error::NotFound`] also for somebody else's; [`Error::Conflict`] for the last way into an account.
pub async fn delete_passkey(
    shop: &Shop,
    room: &Mailroom,
    ways: &dyn FactorQueries,
    by: &Fresh<ChangeAccount>,
    id: PasskeyId,
) -> Result<()> {
    let user = by.principal().user;
    // A password is never taken away again.
    let password = ways.ways(user).await?.is_some_and(|ways| ways.password);
    shop.write("delete_passkey", |mut tx| async move {
        own(&mut *tx, user, id).await?;
        if !password && doors(&mut *tx, user).await? < 2 {
            return Err(Error::conflict(
                "It is the only way into the account; choose a password, add another passkey or link a provider first",
            ));
        }
        let person = tx.users().find(user).await?.ok_or(Error::Unauthenticated)?;
        tx.passkeys().delete(id).await?;
        shop.record(&mut *tx, Some(user), events::factor_removed(user, Method::Passkey)).await?;
        room.notify(shop, &mut *tx, &person.email, Notice::PasskeyRemoved).await?;
        tx.commit(()).await
    })
    .await
}

async fn own(tx: &mut dyn Tx, user: UserId, id: PasskeyId) -> Result<Passkey> {
    let found = tx.passkeys().find(id).await?.filter(|passkey| passkey.user == user);
    found.ok_or(Error::NotFound("Passkey"))
}
