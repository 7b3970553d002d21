//! Sending again: one message, or all that were given up.

use std::time::Duration;

use super::{change_endpoint::own, events};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    id::{EndpointId, WebhookMessageId},
    permission::{Authorized, ManageWebhooks},
    shop::Shop,
};

/// How far back messages are recovered.
pub const RECOVERABLE: Duration = Duration::from_hours(14 * 24);
/// Messages in one transaction.
const PORTION: u32 = 2_000;

/// Sends a message again, whether it arrived or was given up, under the id it had.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] while it is on its way, or the endpoint is off.
pub async fn resend_message(
    shop: &Shop,
    by: &Authorized<ManageWebhooks>,
    id: EndpointId,
    message: WebhookMessageId,
) -> Result<()> {
    let who = by.principal();
    shop.write("resend_webhook_message", |mut tx| async move {
        let endpoint = own(&mut *tx, who, id).await?;
        must_be_on(endpoint.is_on())?;
        let now = tx.now();
        match tx.webhooks().revive(id, message, now).await? {
            None => return Err(Error::NotFound("Webhook message")),
            Some(false) => return Err(Error::conflict("The message is on its way already")),
            Some(true) => {}
        }
        shop.record(&mut *tx, Some(who.user), events::resent(&endpoint, message)).await?;
        tx.commit(()).await
    })
    .await
}

/// Sends again all messages that were given up and made at `since` or after, each under the id it had, and gives how many. A long
/// list takes several transactions.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when the endpoint is off; [`Error::Invalid`] for a moment further back than
/// [`RECOVERABLE`], or to come.
pub async fn recover_messages(
    shop: &Shop,
    by: &Authorized<ManageWebhooks>,
    id: EndpointId,
    since: Timestamp,
) -> Result<u64> {
    let (who, now) = (by.principal(), shop.now());
    if since < now - RECOVERABLE || since > now {
        return Err(Error::invalid("/since", "range", "must be a moment of the last 14 days"));
    }
    let mut total = 0;
    loop {
        let revived = shop
            .write("recover_webhook_messages", |mut tx| async move {
                let endpoint = own(&mut *tx, who, id).await?;
                must_be_on(endpoint.is_on())?;
                let revived = tx.webhooks().recover(id, since, now, PORTION).await?;
                if revived > 0 {
                    shop.record(&mut *tx, Some(who.user), events::recovered(&endpoint, revived)).await?;
                }
                tx.commit(revived).await
            })
            .await?;
        total += revived;
        if revived < u64::from(PORTION) {
            return Ok(total);
        }
    }
}

fn must_be_on(on: bool) -> Result<()> {
    if on { Ok(()) } else { Err(Error::conflict("The endpoint is off; switch it on first")) }
}
