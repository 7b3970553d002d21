//! Adding to and taking from the stock of a product.

use super::{events, policy};
use crate::{
    error::{Error, Result},
    id::ProductId,
    idempotency::{Once, Outcome},
    permission::{Authorized, WriteProducts},
    shop::Shop,
};

/// A change of stock, relative so that two of them never undo each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockChange {
    /// Pieces that came (positive) or went (negative).
    pub delta: i64,
    /// Only if exactly so many are on hand now.
    pub expected: Option<i64>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// Changes the stock of a product of the caller's and gives the pieces on hand. The version stays (ruling R16).
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Conflict`] when the stock would leave its range or is not
/// what was expected.
pub async fn adjust_stock(
    shop: &Shop,
    by: Authorized<WriteProducts>,
    id: ProductId,
    change: StockChange,
    once: &Once<'_, i64>,
) -> Result<Outcome<i64>> {
    let principal = by.principal();
    let change = &change;
    shop.write_once("adjust_stock", once, |mut tx| async move {
        let product = tx.products().find(id).await?.ok_or(Error::NotFound("Product"))?;
        policy::may_change(principal, &product)?;
        if product.deleted.is_some() {
            return Err(Error::NotFound("Product"));
        }
        let now = tx.now();
        let Some(stock) = tx.products().add_stock(id, change.delta, change.expected, now).await? else {
            return Err(Error::conflict(format!(
                "The stock cannot change by {}: it must stay at 0 or more, and be what was expected; read it again",
                change.delta
            )));
        };
        let told = events::stock_changed(&product, change.delta, stock, change.reason.as_deref());
        shop.record(&mut *tx, Some(principal.user), told).await?;
        tx.commit(stock).await
    })
    .await
}
