//! Sending somebody to a provider.

use super::{
    Gate,
    gate::{Begun, draw},
    ports::Ask,
};
use crate::{
    error::{Error, Result},
    identity::Redirect,
    shop::Shop,
};

/// Characters of what a browser keeps while its person is at a provider.
const BROWSER: usize = 64;

/// Where a browser goes, and what it keeps meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// The page of the provider.
    pub to: String,
    /// What it brings along when it comes back.
    pub browser: String,
    /// The provider answers by a form that the browser posts from its page.
    pub posts: bool,
}

/// Begins a sign-in with a provider, or the linking of an account: which of them it is, is said by whoever redeems what comes of
/// it. `challenge` is that of the page which began (S256 of RFC 7636); only it can redeem. `browser` is what the browser
/// keeps from another sign-in that is under way, so that several tabs may go at once.
///
/// # Errors
/// [`Error::NotFound`] for a provider that is not there, [`Error::Unavailable`] for one that is away.
pub async fn begin_sign_in(
    shop: &Shop,
    gate: &Gate,
    provider: &str,
    redirect: &Redirect,
    challenge: &str,
    browser: Option<&str>,
) -> Result<Departure> {
    let [state, nonce, verifier] = [(); 3].map(|()| draw(shop));
    let callback = gate.callback(provider);
    let ask = Ask { state: &state, nonce: &nonce, verifier: &verifier, redirect: &callback };
    let to = gate.providers.address(provider, ask).await?.ok_or(Error::NotFound("Provider"))?;
    let kept = browser.filter(|kept| kept.len() == BROWSER && kept.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let browser = kept.map_or_else(|| draw(shop), str::to_owned);
    let begun = &Begun {
        provider: provider.to_owned(),
        redirect: redirect.clone(),
        challenge: challenge.to_owned(),
        nonce,
        verifier,
        browser: gate.digest("browser", &browser),
    };
    let state = &state;
    shop.write("begin_sign_in", |mut tx| async move {
        let now = tx.now();
        gate.keep(&mut *tx, state, begun, now).await?;
        tx.commit(()).await
    })
    .await?;
    let posts = gate.providers.all().iter().any(|known| known.name == provider && known.posts);
    Ok(Departure { to, browser, posts })
}
