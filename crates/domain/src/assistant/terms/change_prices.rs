//! Setting what a model costs from a moment on, and taking it back before that.

use super::{NewPrice, StoredPrice, events};
use crate::{
    error::{Error, Result},
    id::AssistantPriceId,
    idempotency::{Once, Outcome},
    permission::{Authorized, ManageAssistant},
    shop::Shop,
};

/// The most prices that are kept.
const MOST: u64 = 10_000;

/// Sets what a deployment costs from a moment on, in place of what was said of it before. Calls that were made keep what they cost.
///
/// # Errors
/// [`Error::Conflict`] when there is a price of that moment, or there are too many.
pub async fn create_price(
    shop: &Shop,
    by: Authorized<ManageAssistant>,
    new: NewPrice,
    once: &Once<'_, StoredPrice>,
) -> Result<Outcome<StoredPrice>> {
    let (who, new) = (by.principal(), &new);
    shop.write_once("create_assistant_price", once, |mut tx| async move {
        if tx.terms().count_prices().await? >= MOST {
            return Err(Error::conflict(format!("There are {MOST} prices already")));
        }
        let stored = StoredPrice { id: shop.id::<AssistantPriceId>(), price: new.0.clone(), created_at: tx.now() };
        if !tx.terms().insert_price(&stored).await? {
            return Err(Error::conflict(format!(
                "{} has a price from that moment on already",
                stored.price.deployment
            )));
        }
        shop.record(&mut *tx, Some(who.user), events::price_created(&stored)).await?;
        tx.commit(stored).await
    })
    .await
}

/// Takes a price back that does not hold yet.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] for one that holds or held: what was spent by it must add up.
pub async fn withdraw_price(shop: &Shop, by: Authorized<ManageAssistant>, id: AssistantPriceId) -> Result<()> {
    let who = by.principal();
    shop.write("withdraw_assistant_price", |mut tx| async move {
        let price = tx.terms().price(id).await?.ok_or(Error::NotFound("Price"))?;
        if price.price.from <= tx.now() {
            return Err(Error::conflict("This price holds already; set another one, which supersedes it"));
        }
        tx.terms().delete_price(id).await?;
        shop.record(&mut *tx, Some(who.user), events::price_withdrawn(&price)).await?;
        tx.commit(()).await
    })
    .await
}
