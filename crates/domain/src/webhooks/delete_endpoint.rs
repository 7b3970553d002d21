//! Deleting an endpoint.

use super::{change_endpoint::own, events};
use crate::{
    error::Result,
    id::EndpointId,
    permission::{Authorized, ManageWebhooks},
    shop::Shop,
};

/// Deletes an endpoint with its messages. What is being sent at this moment may still arrive.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn delete_endpoint(shop: &Shop, by: &Authorized<ManageWebhooks>, id: EndpointId) -> Result<()> {
    let who = by.principal();
    shop.write("delete_webhook_endpoint", |mut tx| async move {
        let endpoint = own(&mut *tx, who, id).await?;
        tx.webhooks().delete(id).await?;
        shop.record(&mut *tx, Some(who.user), events::deleted(&endpoint)).await?;
        tx.commit(()).await
    })
    .await
}
