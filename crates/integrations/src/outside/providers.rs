//! The providers that the operator set up.

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Result,
    identity::{
        Stranger,
        outside::ports::{Ask, Brought, Declined, Provider as Choice, Providers},
    },
};
use sha2::{Digest as _, Sha256};

use super::{Calls, ProviderSettings, provider::Provider};

/// The providers that the operator set up.
pub struct ConfiguredProviders {
    choices: Vec<Choice>,
    providers: Vec<Provider>,
}

impl std::fmt::Debug for ConfiguredProviders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfiguredProviders").field("choices", &self.choices).finish_non_exhaustive()
    }
}

impl ConfiguredProviders {
    /// These.
    ///
    /// # Errors
    /// For addresses and keys that are none.
    pub fn new(calls: &Calls, all: Vec<ProviderSettings>) -> Result<Self> {
        let providers: Vec<Provider> =
            all.into_iter().map(|settings| Provider::new(calls, settings)).collect::<Result<_>>()?;
        Ok(Self { choices: providers.iter().map(Provider::choice).collect(), providers })
    }

    fn named(&self, name: &str) -> Option<&Provider> {
        let at = self.choices.iter().position(|choice| choice.name == name)?;
        self.providers.get(at)
    }
}

#[async_trait]
impl Providers for ConfiguredProviders {
    fn all(&self) -> &[Choice] {
        &self.choices
    }

    async fn address(&self, provider: &str, ask: Ask<'_>) -> Result<Option<String>> {
        match self.named(provider) {
            Some(provider) => provider.address(ask).await.map(Some),
            None => Ok(None),
        }
    }

    async fn identify(&self, provider: &str, brought: Brought<'_>) -> Result<Stranger, Declined> {
        match self.named(provider) {
            Some(provider) => provider.identify(brought).await,
            None => Err(Declined::Refused),
        }
    }

    fn challenge(&self, verifier: &str) -> String {
        challenge(verifier)
    }
}

/// S256 of RFC 7636.
pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_challenge_is_that_of_the_standard() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(super::challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
