//! Giving an API key another name, or other models.

use super::{
    ApiKey,
    api_key::{key_models, key_name},
    delete_key::own_key,
    events,
};
use crate::{
    error::{Result, Violations},
    id::ApiKeyId,
    permission::{Authorized, ManageKeys},
    shop::Shop,
};

/// A checked change of a key: what is `None` stays.
#[expect(clippy::option_option, reason = "what stays, all models and some of them are three things")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPatch {
    name: Option<String>,
    models: Option<Option<Vec<String>>>,
}

impl KeyPatch {
    /// Puts another name.
    pub fn name(&mut self, name: &str, violations: &mut Violations) {
        self.name = violations.check("/name", key_name(name));
    }

    /// Puts the models of the assistant it is for; `None` is all.
    pub fn models(&mut self, models: Option<&[String]>, violations: &mut Violations) {
        self.models = Some(models.and_then(|models| key_models(models, violations)));
    }
}

/// Changes what a key is called, and which models it is for; what else it is for stays. It counts at once on every node.
///
/// # Errors
/// [`crate::Error::NotFound`] for a key that is not one's own, nor of a seller account one owns.
pub async fn update_key(shop: &Shop, by: Authorized<ManageKeys>, id: ApiKeyId, patch: KeyPatch) -> Result<ApiKey> {
    let (who, patch) = (by.principal(), &patch);
    shop.write("update_api_key", |mut tx| async move {
        let before = own_key(&mut *tx, who, id).await?;
        let mut key = before.clone();
        if let Some(name) = &patch.name {
            key.name.clone_from(name);
        }
        if let Some(models) = &patch.models {
            key.models.clone_from(models);
        }
        if key != before {
            tx.api_keys().update(&key).await?;
            let change =
                if key.models == before.models { events::key_renamed(&key) } else { events::key_updated(&key) };
            shop.record(&mut *tx, Some(who.user), change).await?;
        }
        tx.commit(key).await
    })
    .await
}
