//! What second factors stand on, and using a code up.

use std::{sync::Arc, time::Duration};

use super::{StoredTotp, ports::OneTimeCodes, recovery, totp};
use crate::{
    clock::Timestamp,
    error::Result,
    id::UserId,
    identity::Method,
    secrets::{Mac, Sealer},
    store::Tx,
};

/// What second factors stand on. Cheap to clone.
#[derive(Clone)]
pub struct Factors {
    /// Seals the secrets of apps.
    pub sealer: Arc<dyn Sealer>,
    /// Makes what recovery codes are kept by.
    pub mac: Arc<dyn Mac>,
    /// Makes the codes of apps.
    pub codes: Arc<dyn OneTimeCodes>,
    /// What apps call the shop.
    pub issuer: String,
    /// For how long somebody who proved who they are counts as fresh.
    pub fresh: Duration,
}

impl std::fmt::Debug for Factors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Factors").field("issuer", &self.issuer).field("fresh", &self.fresh).finish_non_exhaustive()
    }
}

impl Factors {
    /// For what the secret of a person's app is sealed: it opens as nobody else's.
    pub(super) fn sealed_for(user: UserId) -> String {
        format!("totp/{user}")
    }

    /// Uses the code of a person's app, or a recovery code, up in this transaction; `None` when it is neither.
    pub(super) async fn use_code(
        &self,
        tx: &mut dyn Tx,
        user: UserId,
        code: &str,
        now: Timestamp,
    ) -> Result<Option<Method>> {
        let Some(app) = tx.factors().totp(user).await?.filter(|app| app.confirmed_at.is_some()) else {
            return Ok(None);
        };
        let typed = code.trim().replace(' ', "");
        if let Some(number) = totp::digits(&typed) {
            return Ok(self.use_step(tx, &app, number, now).await?.then_some(Method::Totp));
        }
        let Some(digest) = recovery::digest(&*self.mac, user, code) else { return Ok(None) };
        Ok(tx.factors().take_recovery(user, &digest).await?.then_some(Method::Recovery))
    }

    /// Uses the code of an app up; `false` when it is another, or was used before.
    pub(super) async fn use_step(&self, tx: &mut dyn Tx, app: &StoredTotp, code: u32, now: Timestamp) -> Result<bool> {
        let secret = self.sealer.open(&Self::sealed_for(app.user), &app.sealed)?;
        match totp::fitting(&*self.codes, &secret, code, app.last_step, now)? {
            Some(step) => tx.factors().use_step(app.user, step).await,
            None => Ok(false),
        }
    }
}
