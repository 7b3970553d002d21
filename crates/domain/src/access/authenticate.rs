//! Finding out who calls with an API key.

use super::{ApiKey, KeyText, ports::HeldKey};
use crate::{
    actor::Principal,
    clock::Timestamp,
    error::Result,
    id::ApiKeyId,
    identity::{Known, Sellers},
    permission::{Permissions, Role, Roles},
    secrets::Mac,
};

/// Who calls with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCaller {
    /// The key.
    pub key: ApiKey,
    /// Who that is: no more than the key is for, of what its owner may do just now.
    pub principal: Principal,
}

/// What keys are known by.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    /// Knows keys and their owners.
    pub known: &'a Known,
    /// Makes the hash its text is compared by.
    pub mac: &'a dyn Mac,
}

impl std::fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys<'_> {
    /// Who calls with this text; `None` when it is no key, or one that was deleted or has ended, or whose owner is banned.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn caller(self, text: &str, now: Timestamp) -> Result<Option<KeyCaller>> {
        // A text that Souk never made costs no look anywhere.
        let Some(text) = KeyText::parse(text) else { return Ok(None) };
        let Some(held) = self.known.key(text.id()).await? else { return Ok(None) };
        // Who does not know the key of the hash cannot aim at it, so how long the comparison takes tells nothing.
        if held.digest != digest(self.mac, &text) {
            return Ok(None);
        }
        self.owner(held, now).await
    }

    /// Who calls with a key that was accepted before, as they are now.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn still(self, id: ApiKeyId, now: Timestamp) -> Result<Option<KeyCaller>> {
        match self.known.key(id).await? {
            Some(held) => self.owner(held, now).await,
            None => Ok(None),
        }
    }

    async fn owner(self, held: HeldKey, now: Timestamp) -> Result<Option<KeyCaller>> {
        let key = held.key;
        if key.expires_at.is_some_and(|end| end <= now) {
            return Ok(None);
        }
        // Who made a key and is banned calls through none; who left the account left its keys behind.
        let Some(principal) = self.known.person(key.user).await? else { return Ok(None) };
        let principal = match key.seller {
            None => principal,
            Some(seller) => {
                let roles = Roles::new([Role::User]);
                Principal::new(key.user, roles, Permissions::OF_SELLERS, Sellers::one(seller))
            }
        };
        let principal = principal.through_key(key.id, key.scopes).for_models(key.models.clone());
        Ok(Some(KeyCaller { key, principal }))
    }
}

/// What is kept of a key's text.
pub(super) fn digest(mac: &dyn Mac, text: &KeyText) -> [u8; 32] {
    mac.mac(&[b"api-key:", text.expose().as_bytes()].concat())
}
