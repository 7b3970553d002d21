//! Switching an endpoint off that failed for too long, or is gone.

use std::time::Duration;

use super::{Off, events};
use crate::{
    error::Result,
    id::EndpointId,
    identity::{Errand, Mailroom, Notice},
    shop::Shop,
};

/// Switches an endpoint off, if it still fails and has for `endured`, or said that it is gone. What waits for it is given up; its
/// keepers get a letter, and other endpoints of its owner an event. Gives whether it was.
///
/// # Errors
/// Those of the store.
pub async fn disable_endpoint(
    shop: &Shop,
    room: &Mailroom,
    id: EndpointId,
    why: Off,
    endured: Duration,
) -> Result<bool> {
    shop.write("disable_webhook_endpoint", |mut tx| async move {
        let now = tx.now();
        let Some(mut endpoint) = tx.webhooks().find(id).await?.filter(super::Endpoint::is_on) else {
            return tx.commit(false).await;
        };
        let too_long = endpoint.failing_since.is_some_and(|since| since + endured <= now);
        if why == Off::Failing && !too_long {
            return tx.commit(false).await;
        }
        endpoint.off = Some(why);
        endpoint.updated_at = now;
        tx.webhooks().update(&endpoint).await?;
        let given_up = tx.webhooks().give_up(id, now).await?;
        shop.record(&mut *tx, None, events::disabled(&endpoint, why, given_up)).await?;
        if room.open {
            for keeper in tx.webhooks().keepers(&endpoint).await? {
                if let Some(user) = tx.users().find(keeper).await? {
                    let errand = Errand::Notice { email: user.email, about: Notice::WebhookDisabled };
                    room.send(shop, &mut *tx, &errand).await?;
                }
            }
        }
        tx.commit(true).await
    })
    .await
}
