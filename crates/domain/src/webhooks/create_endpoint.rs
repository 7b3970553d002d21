//! Making an endpoint.

use std::sync::Arc;

use super::{
    Endpoint, Filter, Form, NewEndpoint, Off, Order, Owner, SecretText, Signer, StoredSecret, WebhookRules, events,
    policy, secret::seal_context,
};
use crate::{
    error::{Error, Result},
    id::EndpointId,
    idempotency::{Once, Outcome},
    permission::{Authorized, ManageWebhooks},
    secrets::Sealer,
    shop::Shop,
    store::Tx,
};

/// What the secrets of endpoints stand on.
#[derive(Clone)]
pub struct Keyring {
    /// Seals them.
    pub sealer: Arc<dyn Sealer>,
    /// Makes them, and signs.
    pub signer: Arc<dyn Signer>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring(..)")
    }
}

/// An endpoint just made, with what its receiver verifies with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeEndpoint {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The secret, or the public key.
    pub secret: SecretText,
}

/// Makes an endpoint of this owner. What its receiver verifies with is in the answer.
///
/// # Errors
/// Those of [`policy::may_manage`]; [`Error::Conflict`] when there are too many; [`Error::Invalid`] for a type that such an owner
/// never hears.
pub async fn create_endpoint(
    shop: &Shop,
    keyring: &Keyring,
    rules: WebhookRules,
    by: &Authorized<ManageWebhooks>,
    owner: Owner,
    new: &NewEndpoint,
    once: &Once<'_, MadeEndpoint>,
) -> Result<Outcome<MadeEndpoint>> {
    let who = by.principal();
    refuse_unheard(new.rest.never_heard(owner))?;
    shop.write_once("create_webhook_endpoint", once, |mut tx| async move {
        policy::may_manage(who, owner, role_in(&mut *tx, owner, who.user).await?)?;
        if tx.webhooks().count(owner).await? >= rules.most {
            let message = format!("There are {} endpoints already; delete one that is not used any more", rules.most);
            return Err(Error::conflict(message));
        }
        let now = tx.now();
        let mut endpoint = Endpoint {
            id: shop.id::<EndpointId>(),
            owner,
            made_by: who.user,
            url: new.url.clone(),
            description: String::new(),
            types: Vec::new(),
            filter: Filter::default(),
            form: Form::Full,
            order: Order::None,
            per_minute: None,
            off: (new.rest.enabled == Some(false)).then_some(Off::Owner),
            failing_since: None,
            circuit_until: None,
            created_at: now,
            updated_at: now,
        };
        new.rest.apply(&mut endpoint);
        let text = keyring.signer.draw(new.algorithm, &*shop.entropy);
        let sealed = keyring.sealer.seal(&seal_context(endpoint.id), text.expose().as_bytes())?;
        let stored = StoredSecret { number: 1, algorithm: new.algorithm, sealed, created_at: now, expires_at: None };
        tx.webhooks().insert(&endpoint, &stored).await?;
        shop.record(&mut *tx, Some(who.user), events::created(&endpoint)).await?;
        tx.commit(MadeEndpoint { endpoint, secret: keyring.signer.shown(&text)? }).await
    })
    .await
}

/// # Errors
/// [`Error::Invalid`] for a type that the owner never hears.
pub(super) fn refuse_unheard(kind: Option<super::EventType>) -> Result<()> {
    let Some(kind) = kind else { return Ok(()) };
    let message = format!("must not hold {}, which such an owner never hears", kind.name());
    Err(Error::invalid("/eventTypes", "not_for_owner", message))
}

/// What somebody may do in the account of an owner.
pub(super) async fn role_in(
    tx: &mut dyn Tx,
    owner: Owner,
    user: crate::id::UserId,
) -> Result<Option<crate::organisation::MemberRole>> {
    match owner.seller() {
        Some(seller) => tx.organisations().member(seller, user).await,
        None => Ok(None),
    }
}
