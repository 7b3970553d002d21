//! Changing an endpoint, and giving it another secret.

use super::{
    Algorithm, Endpoint, EndpointChange, Keyring, OLD_SECRETS, OVERLAP, Off, SecretText, StoredSecret,
    create_endpoint::{refuse_unheard, role_in},
    events, policy,
    secret::seal_context,
};
use crate::{
    actor::Principal,
    error::{Error, Result},
    id::EndpointId,
    idempotency::{Once, Outcome},
    permission::{Authorized, ManageWebhooks},
    shop::Shop,
    store::Tx,
};

/// Changes an endpoint. Switched on it begins anew: nothing is held against it; switched off what waits for it is given up, and may
/// be recovered.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a type that its owner never hears.
pub async fn change_endpoint(
    shop: &Shop,
    by: &Authorized<ManageWebhooks>,
    id: EndpointId,
    change: &EndpointChange,
) -> Result<Endpoint> {
    let who = by.principal();
    shop.write("change_webhook_endpoint", |mut tx| async move {
        let before = own(&mut *tx, who, id).await?;
        refuse_unheard(change.never_heard(before.owner))?;
        let (mut after, now) = (before.clone(), tx.now());
        change.apply(&mut after);
        match change.enabled {
            Some(true) if !before.is_on() => {
                after.off = None;
                after.failing_since = None;
                after.circuit_until = None;
            }
            Some(false) if before.is_on() => {
                after.off = Some(Off::Owner);
                tx.webhooks().give_up(id, now).await?;
            }
            _ => {}
        }
        if after == before {
            return tx.commit(after).await;
        }
        after.updated_at = now;
        tx.webhooks().update(&after).await?;
        shop.record(&mut *tx, Some(who.user), events::updated(&before, &after)).await?;
        tx.commit(after).await
    })
    .await
}

/// Gives an endpoint another secret. The one before signs beside it for [`OVERLAP`], so that receivers can change theirs in peace.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn rotate_secret(
    shop: &Shop,
    keyring: &Keyring,
    by: &Authorized<ManageWebhooks>,
    id: EndpointId,
    algorithm: Option<Algorithm>,
    once: &Once<'_, SecretText>,
) -> Result<Outcome<SecretText>> {
    let who = by.principal();
    shop.write_once("rotate_webhook_secret", once, |mut tx| async move {
        let endpoint = own(&mut *tx, who, id).await?;
        let now = tx.now();
        let mut secrets = tx.webhooks().secrets(id).await?;
        secrets.retain(|secret| secret.expires_at.is_none_or(|end| end > now));
        secrets.truncate(OLD_SECRETS);
        for secret in &mut secrets {
            secret.expires_at.get_or_insert(now + OVERLAP);
        }
        let present = secrets.first();
        let algorithm = algorithm.or(present.map(|secret| secret.algorithm)).unwrap_or(Algorithm::Hmac);
        let number = present.map_or(1, |secret| secret.number + 1);
        let text = keyring.signer.draw(algorithm, &*shop.entropy);
        let sealed = keyring.sealer.seal(&seal_context(id), text.expose().as_bytes())?;
        secrets.insert(0, StoredSecret { number, algorithm, sealed, created_at: now, expires_at: None });
        tx.webhooks().put_secrets(id, &secrets).await?;
        shop.record(&mut *tx, Some(who.user), events::secret_rotated(&endpoint, number)).await?;
        tx.commit(keyring.signer.shown(&text)?).await
    })
    .await
}

/// An endpoint that the caller may manage. To others it does not exist.
pub(super) async fn own(tx: &mut dyn Tx, who: &Principal, id: EndpointId) -> Result<Endpoint> {
    let endpoint = tx.webhooks().find(id).await?.ok_or(Error::NotFound("Webhook endpoint"))?;
    let role = role_in(tx, endpoint.owner, who.user).await?;
    policy::may_see(who, endpoint.owner, role)?;
    Ok(endpoint)
}
