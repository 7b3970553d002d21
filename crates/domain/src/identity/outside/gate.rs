//! What signing in with a provider stands on, and the steps it takes.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Stranger, ports::Providers};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    identity::Redirect,
    secrets::{Mac, Sealer, hex},
    shop::Shop,
    store::Tx,
};

/// What signing in with a provider stands on.
#[derive(Clone)]
pub struct Gate {
    /// The providers.
    pub providers: Arc<dyn Providers>,
    /// Seals the steps.
    pub sealer: Arc<dyn Sealer>,
    /// Makes the digests they are found by.
    pub mac: Arc<dyn Mac>,
    /// Where people reach the shop; answers of providers come there.
    pub public: String,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A step of a sign-in, kept sealed under a secret that is given away.
pub(super) trait Step: Serialize + DeserializeOwned {
    /// What it is kept as.
    const NAME: &'static str;
    /// How long it may take to the next.
    const LIFE: Duration;
}

/// Somebody was sent to a provider.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Begun {
    pub(super) provider: String,
    pub(super) redirect: Redirect,
    /// The challenge of the page that began it.
    pub(super) challenge: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    /// A digest of what the browser keeps meanwhile.
    pub(super) browser: [u8; 32],
}

impl Step for Begun {
    const NAME: &'static str = "begun";
    const LIFE: Duration = Duration::from_mins(10);
}

/// They came back, and the provider vouched for them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Proven {
    pub(super) stranger: Stranger,
    pub(super) challenge: String,
}

impl Step for Proven {
    const NAME: &'static str = "proven";
    const LIFE: Duration = Duration::from_mins(1);
}

impl Gate {
    /// Where a provider sends its answer.
    pub(super) fn callback(&self, provider: &str) -> String {
        format!("{}/oauth/{provider}/callback", self.public.trim_end_matches('/'))
    }

    /// Keeps a step under this secret.
    pub(super) async fn keep<S: Step>(&self, tx: &mut dyn Tx, secret: &str, step: &S, now: Timestamp) -> Result<()> {
        let plain = serde_json::to_vec(step).map_err(Error::internal)?;
        let sealed = self.sealer.seal(&context::<S>(), &plain)?;
        tx.sign_in_steps().put(&self.digest(S::NAME, secret), &sealed, now + S::LIFE, now).await
    }

    /// Takes the step of this secret: nobody gets it a second time.
    pub(super) async fn take<S: Step>(&self, tx: &mut dyn Tx, secret: &str, now: Timestamp) -> Result<Option<S>> {
        let Some(sealed) = tx.sign_in_steps().take(&self.digest(S::NAME, secret), now).await? else { return Ok(None) };
        let plain = self.sealer.open(&context::<S>(), &sealed)?;
        serde_json::from_slice(&plain).map(Some).map_err(Error::internal)
    }

    /// Takes what a page redeems; `None` when there is no such step, or another page began it.
    pub(super) async fn redeem(
        &self,
        tx: &mut dyn Tx,
        code: &str,
        verifier: &str,
        now: Timestamp,
    ) -> Result<Option<Stranger>> {
        let proven: Option<Proven> = self.take(tx, code, now).await?;
        let fits = |proven: &Proven| proven.challenge == self.providers.challenge(verifier);
        Ok(proven.filter(fits).map(|proven| proven.stranger))
    }

    /// A keyed digest of a secret. Two of them may be compared in any time: whoever lacks the key cannot choose one.
    pub(super) fn digest(&self, what: &str, secret: &str) -> [u8; 32] {
        self.mac.mac(format!("sign_in_step\0{what}\0{secret}").as_bytes())
    }
}

fn context<S: Step>() -> String {
    format!("sign_in_step/{}", S::NAME)
}

/// A secret that nobody guesses.
pub(super) fn draw(shop: &Shop) -> String {
    let mut bytes = [0; 32];
    shop.entropy.fill(&mut bytes);
    hex(&bytes)
}

/// The refusal of what cannot be gone on with; one message for every cause.
pub(super) fn no_such_step() -> Error {
    Error::Unprocessable(
        "code is unknown, was used or has ended, or codeVerifier is another page's; begin the sign-in again".to_owned(),
    )
}
