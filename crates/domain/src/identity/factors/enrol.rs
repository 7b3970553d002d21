//! Adding an authenticator app: the secret is shown once, and a code of it proves that it arrived.

use super::{Factors, RecoveryCodes, StoredTotp, events, totp};
use crate::{
    error::{Error, Result},
    identity::{Fresh, Mailroom, Method, Notice, Throttle},
    permission::ChangeAccount,
    shop::Shop,
};

/// An app to be confirmed: the only time its secret is there. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The secret as people type it.
    pub secret: String,
    /// The same as an address, for a picture that apps read.
    pub address: String,
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enrolment(..)")
    }
}

/// Begins to add an app, in place of one that was never confirmed. It asks for nothing yet.
///
/// # Errors
/// [`Error::Conflict`] when there is one.
pub async fn begin_totp(shop: &Shop, factors: &Factors, by: &Fresh<ChangeAccount>) -> Result<Enrolment> {
    let user = by.principal().user;
    let mut secret = [0; totp::SECRET];
    shop.entropy.fill(&mut secret);
    let sealed = &factors.sealer.seal(&Factors::sealed_for(user), &secret)?;
    let secret = &totp::base32(&secret);
    shop.write("begin_totp", |mut tx| async move {
        let person = tx.users().find(user).await?.ok_or(Error::Unauthenticated)?;
        let created_at = tx.now();
        let app = StoredTotp { user, sealed: sealed.clone(), confirmed_at: None, last_step: 0, created_at };
        if !tx.factors().put_totp(&app).await? {
            return Err(Error::conflict("There is an authenticator app already; remove it first"));
        }
        let address = totp::otpauth(&factors.issuer, &person.email, secret);
        tx.commit(Enrolment { secret: secret.clone(), address }).await
    })
    .await
}

/// Adds the app for good by one of its codes. From here on every sign-in asks for one. Gives the recovery codes, this once; the
/// owner is told by letter.
///
/// # Errors
/// [`Error::Unprocessable`] for another code; [`Error::Conflict`] when no app waits for one; [`Error::Limited`] after too many.
pub async fn confirm_totp(
    shop: &Shop,
    room: &Mailroom,
    factors: &Factors,
    throttle: Throttle<'_>,
    by: &Fresh<ChangeAccount>,
    code: &str,
) -> Result<RecoveryCodes> {
    let user = by.principal().user;
    throttle.second_factor(user).await?;
    let codes = &RecoveryCodes::draw(&*shop.entropy);
    shop.write("confirm_totp", |mut tx| async move {
        let now = tx.now();
        let waiting = tx.factors().totp(user).await?.filter(|app| app.confirmed_at.is_none());
        let app = waiting.ok_or_else(|| Error::conflict("No authenticator app waits to be confirmed"))?;
        let right = match totp::digits(&code.trim().replace(' ', "")) {
            Some(number) => factors.use_step(&mut *tx, &app, number, now).await?,
            None => false,
        };
        if !right {
            return Err(wrong_code());
        }
        let person = tx.users().find(user).await?.ok_or(Error::Unauthenticated)?;
        tx.factors().confirm_totp(user, now).await?;
        tx.factors().put_recovery(user, &codes.digests(&*factors.mac, user)).await?;
        shop.record(&mut *tx, Some(user), events::factor_added(user, Method::Totp)).await?;
        room.notify(shop, &mut *tx, &person.email, Notice::FactorAdded).await?;
        tx.commit(codes.clone()).await
    })
    .await
}

fn wrong_code() -> Error {
    Error::Unprocessable(
        "code is wrong, or was used before; wait for the next one, and see that the clock is right".to_owned(),
    )
}
