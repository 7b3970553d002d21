//! Setting by which key a provider knows us.

use super::{ProviderKey, TermsKeeper, events, seal_context};
use crate::{
    error::{Breach, Error, Result},
    id::ProviderKeyId,
    identity::Fresh,
    permission::{Authorized, ManageAssistant},
    shop::Shop,
};

/// The key of a provider as it was brought. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderKeyText(String);

impl std::fmt::Debug for ProviderKeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProviderKeyText(..)")
    }
}

impl ProviderKeyText {
    /// Reads one: what may stand in a header.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: String) -> Result<Self, Breach> {
        if (8..=1000).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Self(text));
        }
        Err(Breach::new("pattern", "must have 8 to 1000 visible characters of ASCII"))
    }

    /// What of it may be shown, so that it is known again.
    fn hint(&self) -> String {
        let from = if self.0.len() >= 16 { self.0.len() - 4 } else { self.0.len() };
        self.0.get(from..).unwrap_or_default().to_owned()
    }
}

/// Sets by which key a provider knows us, in place of the settings' and of the one before. It is never shown again.
///
/// # Errors
/// [`Error::NotFound`] for a provider that the settings do not name.
pub async fn set_provider_key(
    shop: &Shop,
    keeper: &TermsKeeper,
    by: Fresh<ManageAssistant>,
    provider: &str,
    text: &ProviderKeyText,
) -> Result<ProviderKey> {
    let who = by.principal();
    keeper.provider(provider)?;
    shop.write("set_provider_key", |mut tx| async move {
        let sealed = keeper.sealer.seal(&seal_context(provider), text.0.as_bytes())?;
        let before = tx.terms().provider_key(provider).await?;
        let key = ProviderKey {
            id: before.map_or_else(|| shop.id::<ProviderKeyId>(), |key| key.id),
            provider: provider.to_owned(),
            sealed,
            hint: text.hint(),
            set_at: tx.now(),
        };
        tx.terms().put_provider_key(&key).await?;
        shop.record(&mut *tx, Some(who.user), events::key_set(&key)).await?;
        tx.commit(key).await
    })
    .await
}

/// Removes the key that was set; the settings' counts again.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn remove_provider_key(shop: &Shop, by: Authorized<ManageAssistant>, provider: &str) -> Result<()> {
    let who = by.principal();
    shop.write("remove_provider_key", |mut tx| async move {
        let key = tx.terms().provider_key(provider).await?.ok_or(Error::NotFound("Provider key"))?;
        tx.terms().delete_provider_key(provider).await?;
        shop.record(&mut *tx, Some(who.user), events::key_removed(&key)).await?;
        tx.commit(()).await
    })
    .await
}
