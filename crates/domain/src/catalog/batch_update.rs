//! Changing many products at once.

use serde::{Deserialize, Serialize};

use super::{Batch, Product, create_product::unknown_category, events, ports::Stored};
use crate::{
    error::{Error, Result},
    id::ProductId,
    idempotency::{Key, Once, Outcome, Reply},
    permission::{Authorized, ManageCatalog},
    shop::{Shop, Unit},
};

/// How many products one transaction changes (ruling R32).
const CHUNK: usize = 10;

/// The operation of each chunk: every chunk keeps its own answer under the caller's key, so that a batch cut off half
/// way goes on where it stopped when it is sent again.
const CHUNKS: [&str; 10] = [
    "batch_update.0",
    "batch_update.1",
    "batch_update.2",
    "batch_update.3",
    "batch_update.4",
    "batch_update.5",
    "batch_update.6",
    "batch_update.7",
    "batch_update.8",
    "batch_update.9",
];

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchDone {
    /// How many products were changed.
    pub updated: u32,
    /// Those that were not.
    pub failed: Vec<BatchFailure>,
}

/// A product of a batch that was not changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchFailure {
    /// The product.
    pub id: ProductId,
    /// Why, for people.
    pub reason: String,
}

/// Changes the products of a batch, ten to a transaction. Each has its own version, audit row and event; one that
/// cannot be changed is told of and holds up no other. Once a chunk is committed, a later one that fails as a whole is
/// told of in the same way, so that the caller always knows what was done.
///
/// # Errors
/// [`Error::Invalid`] for an unknown category; those of the first transaction.
pub async fn batch_update(
    shop: &Shop,
    by: Authorized<ManageCatalog>,
    batch: Batch,
    key: Option<Key>,
) -> Result<BatchDone> {
    let mut done = BatchDone::default();
    for ((place, ids), operation) in batch.ids.chunks(CHUNK).enumerate().zip(CHUNKS) {
        let key = key.clone().map(|key| Key { operation, ..key });
        match chunk(shop, &by, &batch, ids, key).await {
            Ok(part) => {
                done.updated += part.updated;
                done.failed.extend(part.failed);
            }
            Err(error) if place == 0 => return Err(error),
            Err(error) => {
                let cause: &dyn std::error::Error = &error;
                tracing::warn!(chunk = place, error = cause, "part of a batch failed");
                done.failed.extend(ids.iter().map(|id| BatchFailure { id: *id, reason: error.to_string() }));
            }
        }
    }
    Ok(done)
}

async fn chunk(
    shop: &Shop,
    by: &Authorized<ManageCatalog>,
    batch: &Batch,
    ids: &[ProductId],
    key: Option<Key>,
) -> Result<BatchDone> {
    let user = by.principal().user;
    let render =
        |done: &BatchDone| Reply { status: 0, headers: Vec::new(), body: serde_json::to_vec(done).unwrap_or_default() };
    let once = Once { key, render: &render };
    let outcome = shop
        .write_once("batch_update", &once, |mut tx| async move {
            if let Some(category) = batch.category
                && tx.categories().find(category).await?.is_none()
            {
                return Err(unknown_category());
            }
            let found = tx.products().find_many(ids).await?;
            let mut done = BatchDone::default();
            for id in ids {
                let changed = match found.iter().find(|product| product.id == *id) {
                    Some(before) => batch.change(shop, &mut tx, before).await?,
                    None => Err("Product not found".to_owned()),
                };
                match changed {
                    Ok(told) => {
                        shop.record(&mut *tx, Some(user), told).await?;
                        done.updated += 1;
                    }
                    Err(reason) => done.failed.push(BatchFailure { id: *id, reason }),
                }
            }
            tx.commit(done).await
        })
        .await?;
    match outcome {
        Outcome::Fresh(done) => Ok(done),
        Outcome::Replay(reply) => serde_json::from_slice(&reply.body).map_err(Error::internal),
    }
}

impl Batch {
    /// Changes one product; the inner error is the reason why it could not be.
    async fn change<T>(
        &self,
        shop: &Shop,
        tx: &mut Unit<'_, T>,
        before: &Product,
    ) -> Result<Result<crate::event::Change, String>> {
        let mut after = before.clone();
        if let Some(category) = self.category {
            after.category = Some(category);
        }
        if let Some(discount) = self.discount {
            after.price = discount.off(before.price);
        }
        if after.price.0 <= 0 {
            return Ok(Err("The price would be zero or less".to_owned()));
        }
        after.version = before.version.next();
        after.updated_at = shop.now();
        match tx.products().update(&after, before).await {
            Ok(Stored::Yes) => Ok(Ok(events::updated(before, &after))),
            Ok(taken) => Ok(Err(taken.or_refused().err().map(|error| error.to_string()).unwrap_or_default())),
            Err(stale @ Error::Stale(_)) => Ok(Err(stale.to_string())),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Principal, Violations,
        catalog::{BatchInput, Version, delete_product},
        money::Amount,
        permission::Role,
        testing::Fixtures,
    };

    fn discount(ids: &[ProductId], share: &str) -> Batch {
        let input = BatchInput { ids: ids.to_vec(), category: None, discount: Some(share.to_owned()) };
        input.check(&mut Violations::default()).unwrap()
    }

    async fn products(given: &Fixtures, owner: &Principal, count: usize) -> Vec<ProductId> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(given.stored_product(owner.seller.unwrap(), |_| ()).await.id);
        }
        ids
    }

    #[tokio::test]
    async fn every_item_has_its_version_its_event_and_its_reason() {
        let (given, store) = Fixtures::in_memory();
        let (owner, admin) = (given.seller().await, given.person(Role::Admin).await);
        let mut ids = products(&given, &owner, 23).await;
        let cheap = given.stored_product(owner.seller.unwrap(), |p| p.price = Amount(1)).await.id;
        let gone = ids[4];
        delete_product(&given.shop, given.authorized(&owner), gone, None).await.unwrap();
        let unknown: ProductId = given.shop.id();
        ids.extend([cheap, unknown]);
        let done = batch_update(&given.shop, given.authorized(&admin), discount(&ids, "60"), None).await.unwrap();
        assert_eq!(done.updated, 22);
        let failed: Vec<_> = done.failed.iter().map(|failure| failure.id).collect();
        assert_eq!(failed, [gone, cheap, unknown]);
        assert_eq!(done.failed[1].reason, "The price would be zero or less");
        let after = store.product(ids[0]).unwrap();
        assert_eq!((after.price, after.version), (Amount(400), Version(2)));
        assert_eq!(store.product(cheap).unwrap().version, Version(1));
        assert_eq!(store.traces()[1..], vec![("product.update".to_owned(), "product.updated".to_owned()); 22]);
    }

    #[tokio::test]
    async fn a_batch_sent_twice_takes_the_discount_once() {
        let (given, store) = Fixtures::in_memory();
        let (owner, admin) = (given.seller().await, given.person(Role::Admin).await);
        let ids = products(&given, &owner, 15).await;
        let key = Key { actor: Some(admin.user), operation: "batch_update", key: "k".into(), fingerprint: [1; 32] };
        let send = async || {
            let key = Some(key.clone());
            batch_update(&given.shop, given.authorized(&admin), discount(&ids, "50"), key).await.unwrap()
        };
        let first = send().await;
        assert_eq!((first.updated, send().await), (15, first));
        assert!(ids.iter().all(|id| store.product(*id).unwrap().price == Amount(500)));
        assert_eq!(store.traces().len(), 15);
    }

    #[tokio::test]
    async fn an_unknown_category_changes_nothing() {
        let (given, store) = Fixtures::in_memory();
        let (owner, admin) = (given.seller().await, given.person(Role::Admin).await);
        let ids = products(&given, &owner, 2).await;
        let batch = Batch { ids: ids.clone(), category: Some(given.shop.id()), discount: None };
        let refused = batch_update(&given.shop, given.authorized(&admin), batch, None).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
        assert_eq!(store.traces(), []);
        let category = given.stored_category(None).await.id;
        let batch = Batch { ids: ids.clone(), category: Some(category), discount: None };
        assert_eq!(batch_update(&given.shop, given.authorized(&admin), batch, None).await.unwrap().updated, 2);
        assert_eq!(store.product(ids[0]).unwrap().category, Some(category));
    }

    #[test]
    fn a_batch_has_1_to_100_different_ids_and_something_to_do() {
        let id = |n: u128| ProductId(uuid::Uuid::from_u128(n));
        let breach = |ids: Vec<ProductId>, share: Option<&str>| {
            let mut violations = Violations::default();
            let input = BatchInput { ids, category: None, discount: share.map(str::to_owned) };
            assert_eq!(input.check(&mut violations).is_none(), !violations.is_empty());
            violations.iter().next().map(|breach| breach.field.clone())
        };
        assert_eq!(breach((0..100).map(id).collect(), Some("0")), None, "0 is a discount");
        assert_eq!(breach((0..101).map(id).collect(), Some("10")).as_deref(), Some("/ids"));
        assert_eq!(breach(Vec::new(), Some("10")).as_deref(), Some("/ids"));
        assert_eq!(breach(vec![id(1), id(2), id(1)], Some("10")).as_deref(), Some("/ids/2"));
        assert_eq!(breach(vec![id(1)], Some("100.5")).as_deref(), Some("/discount"));
        assert_eq!(breach(vec![id(1)], None).as_deref(), Some(""));
    }
}
