//! Changing the key that signs tokens, without a token that nobody can verify.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::ports::{KeyMaker, SealedKey};
use crate::{
    error::{Error, Result},
    event::{Change, Entity},
    id::JobId,
    job::{Job, Policy},
    shop::Shop,
};

/// How long keys stand beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPlan {
    /// A new key is published for so long before it signs: nodes and other services have read it by then.
    pub overlap: Duration,
    /// A key is published for so long after it signed last: as long as a token of it may hold.
    pub keep: Duration,
}

/// What a rotation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotated {
    /// The new key; `None` when another one waits for its turn still.
    pub made: Option<SealedKey>,
    /// Those of which no token can hold any more, and which are gone.
    pub removed: Vec<String>,
}

/// The job that changes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotateKeys {}

impl Job for RotateKeys {
    const NAME: &'static str = "rotate_keys";

    fn policy() -> Policy {
        Policy { attempts: 5, at_once: 1, ..Policy::default() }
    }
}

/// Makes the next key and removes those that are done with. While a key waits for its turn there is no need of another. For the
/// operator at the command line and the schedule; once for each job.
///
/// # Errors
/// Those of the store and of the maker.
pub async fn rotate_keys(shop: &Shop, maker: &dyn KeyMaker, plan: KeyPlan, job: Option<JobId>) -> Result<Rotated> {
    shop.write(RotateKeys::NAME, |mut tx| async move {
        let now = tx.now();
        if let Some(job) = job
            && !tx.inbox().claim(RotateKeys::NAME, job.0, now).await?
        {
            return tx.commit(Rotated::default()).await;
        }
        let keys = tx.signing_keys().keys().await?;
        let mut rotated = Rotated::default();
        let followed = keys.iter().zip(keys.iter().skip(1));
        for (key, _) in followed.filter(|(_, next)| next.signs_from + plan.keep <= now) {
            tx.signing_keys().remove(&key.kid).await?;
            shop.record(&mut *tx, None, change(&key.kid, "signing_key.remove", "signing_key.removed")).await?;
            rotated.removed.push(key.kid.clone());
        }
        if keys.last().is_none_or(|newest| newest.signs_from <= now) {
            let kid = shop.id::<Uuid>().to_string();
            let key = SealedKey { sealed: maker.make(&kid)?, kid, created_at: now, signs_from: now + plan.overlap };
            if !tx.signing_keys().add(&key).await? {
                return Err(Error::Transient("a key of this name is there".into()));
            }
            shop.record(&mut *tx, None, change(&key.kid, "signing_key.create", "signing_key.created")).await?;
            rotated.made = Some(key);
        }
        tx.commit(rotated).await
    })
    .await
}

fn change(kid: &str, action: &'static str, event: &'static str) -> Change {
    // The first key of an installation is called 1.
    let id: Uuid = kid.parse().unwrap_or_else(|_| Uuid::from_u128(kid.parse().unwrap_or_default()));
    Change {
        action,
        event,
        entity: Entity::new("signing_key", id),
        payload: json!({ "keyId": id }),
        metadata: json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixtures;

    struct Named;

    impl KeyMaker for Named {
        fn make(&self, kid: &str) -> Result<Vec<u8>> {
            Ok(kid.as_bytes().to_vec())
        }
    }

    const PLAN: KeyPlan = KeyPlan { overlap: Duration::from_mins(10), keep: Duration::from_mins(20) };

    #[tokio::test]
    async fn a_key_is_known_before_it_signs_and_as_long_as_its_tokens_hold() {
        let (given, store) = Fixtures::in_memory();
        let rotate = async |job| rotate_keys(&given.shop, &Named, PLAN, job).await.unwrap();
        let first = rotate(None).await.made.unwrap();
        assert_eq!(
            (first.signs_from, first.sealed.as_slice()),
            (given.shop.now() + PLAN.overlap, first.kid.as_bytes())
        );
        assert_eq!(rotate(None).await, Rotated::default(), "one that waits is enough");
        given.clock.advance(Duration::from_mins(10));
        let job: JobId = given.shop.id();
        let second = rotate(Some(job)).await.made.unwrap();
        given.clock.advance(Duration::from_mins(29));
        assert_eq!(rotate(Some(job)).await, Rotated::default(), "once for each job");
        let third = rotate(None).await;
        assert!(third.removed.is_empty() && third.made.is_some(), "a token of the first key may hold still");
        given.clock.advance(Duration::from_mins(1));
        assert_eq!(rotate(None).await, Rotated { made: None, removed: vec![first.kid] });
        let mut tx = given.tx().await;
        let kids: Vec<_> = tx.signing_keys().keys().await.unwrap().into_iter().map(|key| key.kid).collect();
        assert_eq!(kids, [second.kid, third.made.unwrap().kid]);
        assert_eq!(store.traces().len(), 4);
    }
}
