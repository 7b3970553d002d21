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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        idempotency::{Key, Reply},
        testing::Fixtures,
    };

    fn by(delta: i64) -> StockChange {
        StockChange { delta, expected: None, reason: Some("counted".to_owned()) }
    }

    #[tokio::test]
    async fn a_change_sent_twice_counts_once() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let id = given.stored_product(owner.seller.unwrap(), |p| p.stock = 10).await.id;
        let key = Key { actor: Some(owner.user), operation: "adjust_stock", key: "k".into(), fingerprint: [1; 32] };
        let render = |stock: &i64| Reply { status: 200, headers: Vec::new(), body: stock.to_string().into_bytes() };
        let once = Once { key: Some(key), render: &render };
        let first = adjust_stock(&given.shop, given.authorized(&owner), id, by(-3), &once).await.unwrap();
        assert_eq!(first, Outcome::Fresh(7));
        let again = adjust_stock(&given.shop, given.authorized(&owner), id, by(-3), &once).await.unwrap();
        assert!(matches!(again, Outcome::Replay(reply) if reply.body == b"7"));
        assert_eq!((store.product(id).unwrap().stock, store.traces().len()), (7, 1));
    }

    #[tokio::test]
    async fn the_stock_is_what_was_expected_and_never_negative() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let id = given.stored_product(owner.seller.unwrap(), |p| p.stock = 2).await.id;
        for change in [by(-3), StockChange { expected: Some(3), ..by(1) }, by(i64::MAX)] {
            let refused = adjust_stock(&given.shop, given.authorized(&owner), id, change, &Once::always()).await;
            assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        }
        assert_eq!((store.product(id).unwrap().stock, store.traces()), (2, Vec::new()));
    }

    /// Twelve buyers at once for ten pieces: each attempt overlaps with others and is run again when it lost.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn interleaved_takers_never_take_more_than_there_is() {
        let (given, store) = Fixtures::in_memory();
        let owner = given.seller().await;
        let id = given.stored_product(owner.seller.unwrap(), |p| p.stock = 10).await.id;
        let mut takers = tokio::task::JoinSet::new();
        for _ in 0..12 {
            let (given, proof) = (given.clone(), given.authorized(&owner));
            takers.spawn(async move {
                loop {
                    tokio::task::yield_now().await;
                    match adjust_stock(&given.shop, proof.clone(), id, by(-1), &Once::always()).await {
                        Err(Error::Transient(_)) => {}
                        other => return other.is_ok(),
                    }
                }
            });
        }
        let taken = takers.join_all().await.into_iter().filter(|took| *took).count();
        assert_eq!((taken, store.product(id).unwrap().stock, store.traces().len()), (10, 0, 10));
    }
}
