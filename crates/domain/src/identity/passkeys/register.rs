//! Adding a passkey to one's account.

use serde_json::Value;

use super::{
    Begun, Passkey, Passkeys,
    ceremony::{self, Kind},
};
use crate::{
    error::{Error, Result},
    id::PasskeyId,
    identity::{Fresh, Mailroom, Method, Notice, factors::events},
    permission::ChangeAccount,
    shop::Shop,
};

/// Most passkeys of one person.
const MOST: usize = 50;

/// What ends the registration of a passkey.
#[derive(Clone)]
pub struct NewPasskey {
    /// What the beginning gave.
    pub ceremony: String,
    /// What the browser made: a `PublicKeyCredential` with an attestation.
    pub credential: Value,
    /// What to call it.
    pub name: String,
}

impl std::fmt::Debug for NewPasskey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPasskey(..)")
    }
}

/// Begins to add a passkey.
///
/// # Errors
/// [`Error::Unavailable`] when this installation has none; [`Error::Conflict`] when there are too many.
pub async fn begin_passkey(shop: &Shop, passkeys: &Passkeys, by: &Fresh<ChangeAccount>) -> Result<Begun> {
    let ceremonies = passkeys.ceremonies()?;
    let user = by.principal().user;
    let (person, have) = shop
        .write("begin_passkey", |mut tx| async move {
            let person = tx.users().find(user).await?.ok_or(Error::Unauthenticated)?;
            let have = tx.passkeys().credentials(user).await?;
            Ok(tx.discard((person, have)))
        })
        .await?;
    room_for_one(&have)?;
    let opened = ceremonies.begin_registration(&person, &have)?;
    ceremony::begin(&*passkeys.sealer, Kind::Registration, Some(user), opened, shop.now())
}

/// Adds the passkey. The owner is told by letter.
///
/// # Errors
/// [`Error::Unprocessable`] for an answer that proves nothing, or a ceremony that was used, has ended, or was somebody else's;
/// [`Error::Conflict`] for a passkey that is known, and when there are too many.
pub async fn create_passkey(
    shop: &Shop,
    room: &Mailroom,
    passkeys: &Passkeys,
    by: &Fresh<ChangeAccount>,
    new: NewPasskey,
) -> Result<Passkey> {
    let (ceremonies, user) = (passkeys.ceremonies()?, by.principal().user);
    let kept = ceremony::open(&*passkeys.sealer, Kind::Registration, &new.ceremony, shop.now());
    let kept = kept.filter(|kept| kept.user == Some(user)).ok_or_else(refused)?;
    let credential = &ceremonies.end_registration(&kept.state, &new.credential)?.ok_or_else(refused)?;
    let (digest, name, until) = (&passkeys.digest(&new.ceremony), &new.name, kept.until);
    shop.write("create_passkey", |mut tx| async move {
        let now = tx.now();
        if !tx.challenges().spend(digest, until, now).await? {
            return Err(refused());
        }
        let person = tx.users().find(user).await?.ok_or(Error::Unauthenticated)?;
        room_for_one(&tx.passkeys().credentials(user).await?)?;
        let passkey = Passkey {
            id: shop.id::<PasskeyId>(),
            user,
            name: name.clone(),
            credential: credential.id.clone(),
            key: credential.key.clone(),
            created_at: now,
            last_used_at: None,
        };
        if !tx.passkeys().insert(&passkey).await? {
            return Err(Error::conflict("This passkey is known already"));
        }
        shop.record(&mut *tx, Some(user), events::factor_added(user, Method::Passkey)).await?;
        room.notify(shop, &mut *tx, &person.email, Notice::PasskeyAdded).await?;
        tx.commit(passkey).await
    })
    .await
}

fn room_for_one(have: &[Vec<u8>]) -> Result<()> {
    if have.len() < MOST {
        return Ok(());
    }
    Err(Error::conflict(format!("There are {MOST} passkeys already; delete one that is not used any more")))
}

fn refused() -> Error {
    Error::Unprocessable("The passkey was not accepted, or its ceremony was used or has ended; begin again".to_owned())
}
