//! A test: an example of an event, sent like any other.

use super::{EventType, Message, NewMessage, Wording, change_endpoint::own, events, fan_out::body};
use crate::{
    error::{Error, Result},
    id::{EndpointId, WebhookMessageId},
    permission::{Authorized, ManageWebhooks},
    shop::Shop,
};

/// Sends an example of this type to an endpoint, whether it hears the type or not. Gives the id to look for.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when the endpoint is off.
pub async fn send_test(
    shop: &Shop,
    wording: &dyn Wording,
    by: &Authorized<ManageWebhooks>,
    id: EndpointId,
    kind: EventType,
) -> Result<WebhookMessageId> {
    let who = by.principal();
    shop.write("send_webhook_test", |mut tx| async move {
        let endpoint = own(&mut *tx, who, id).await?;
        if !endpoint.is_on() {
            return Err(Error::conflict("The endpoint is off; switch it on first"));
        }
        let now = tx.now();
        let message = NewMessage {
            id: shop.id::<WebhookMessageId>(),
            endpoint: id,
            event: None,
            seq: 0,
            kind,
            key: None,
            body: body(kind, now, &wording.example(kind, endpoint.form)?),
            created_at: now,
        };
        tx.webhooks().add(&message).await?;
        shop.record(&mut *tx, Some(who.user), events::tested(&endpoint, message.id)).await?;
        tx.commit(message.id).await
    })
    .await
}

impl Message {
    /// Whether nothing is to be done about it any more.
    pub fn is_finished(&self) -> bool {
        self.finished_at.is_some()
    }
}
