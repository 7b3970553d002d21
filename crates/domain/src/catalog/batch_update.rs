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
        match tx.products().update(&after, before.version).await {
            Ok(Stored::Yes) => Ok(Ok(events::updated(before, &after))),
            Ok(taken) => Ok(Err(taken.or_conflict().err().map(|error| error.to_string()).unwrap_or_default())),
            Err(stale @ Error::Stale(_)) => Ok(Err(stale.to_string())),
            Err(error) => Err(error),
        }
    }
}
