//! What a provider says of somebody who was sent to it.

use super::{
    Gate,
    gate::{Begun, Proven, draw},
    ports::{Brought, Declined},
};
use crate::{
    error::{Error, Result},
    shop::Shop,
};

/// What a browser brings from a provider.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answered<'a> {
    /// Says which sign-in it is.
    pub state: &'a str,
    /// What the provider is asked with who it is.
    pub code: Option<&'a str>,
    /// Why there is no code.
    pub error: Option<&'a str>,
    /// What the provider calls itself.
    pub issuer: Option<&'a str>,
    /// The name of the person, where it stands beside the code.
    pub name: Option<&'a str>,
}

/// Hears what a provider says, and gives where the browser goes on: to the page that began, with `code`, which it redeems within a
/// minute and once, or with `error`: `access_denied`, `provider_unavailable` or `provider_error`. Nothing of it is a change
/// of the shop yet.
///
/// # Errors
/// [`Error::Unprocessable`] when this browser began no such sign-in with this provider, it has ended, or was answered before.
pub async fn hear_provider(
    shop: &Shop,
    gate: &Gate,
    provider: &str,
    answered: Answered<'_>,
    browser: Option<&str>,
) -> Result<String> {
    let begun = shop
        .write("hear_provider", |mut tx| async move {
            let now = tx.now();
            let begun: Option<Begun> = gate.take(&mut *tx, answered.state, now).await?;
            tx.commit(begun).await
        })
        .await?;
    let browser = browser.map(|browser| gate.digest("browser", browser));
    let meant = |begun: &Begun| begun.provider == provider && Some(begun.browser) == browser;
    let begun = begun.filter(meant).ok_or_else(|| {
        Error::Unprocessable("This browser began no such sign-in, or it has ended; begin it again".to_owned())
    })?;
    let callback = gate.callback(provider);
    let stranger = match answered.code.filter(|_| answered.error.is_none()) {
        Some(code) => {
            let Answered { issuer, name, .. } = answered;
            let (nonce, verifier) = (begun.nonce.as_str(), begun.verifier.as_str());
            let brought = Brought { code, issuer, name, nonce, verifier, redirect: &callback };
            gate.providers.identify(provider, brought).await.map_err(|declined| match declined {
                Declined::Away => "provider_unavailable",
                Declined::Refused => "provider_error",
            })
        }
        None if answered.error == Some("access_denied") || answered.error == Some("user_cancelled_authorize") => {
            Err("access_denied")
        }
        None => Err("provider_error"),
    };
    let stranger = match stranger {
        Ok(stranger) => stranger,
        Err(word) => return Ok(begun.redirect.with("error", word)),
    };
    let (code, proven) = (&draw(shop), &Proven { stranger, challenge: begun.challenge });
    shop.write("hear_provider", |mut tx| async move {
        let now = tx.now();
        gate.keep(&mut *tx, code, proven, now).await?;
        tx.commit(()).await
    })
    .await?;
    Ok(begun.redirect.with("code", code))
}
