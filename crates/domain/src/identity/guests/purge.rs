//! Guests who never said who they are end with their time.

use std::time::Duration;

use async_trait::async_trait;

use super::is_guest;
use crate::{
    clock::Timestamp,
    error::Result,
    id::UserId,
    identity::{EndReason, delete_person::erase},
    shop::Shop,
};

/// Guests read at once.
const PORTION: u32 = 500;

/// The read side of guests.
#[async_trait]
pub trait GuestQueries: Send + Sync {
    /// The guests who came before this moment, the oldest first, at most `limit`.
    async fn came_before(&self, before: Timestamp, limit: u32) -> Result<Vec<UserId>>;
}

/// Makes pseudonyms of the guests whose sessions have ended with their time, each in a transaction of its own, and gives how many.
///
/// # Errors
/// Those of the database; what was done stays done.
pub async fn purge_guests(shop: &Shop, guests: &dyn GuestQueries, life: Duration) -> Result<u64> {
    let mut total = 0;
    loop {
        let due = guests.came_before(shop.now() - life, PORTION).await?;
        for id in &due {
            total += u64::from(forget(shop, *id).await?);
        }
        if due.len() < usize::try_from(PORTION).unwrap_or(usize::MAX) {
            return Ok(total);
        }
    }
}

async fn forget(shop: &Shop, id: UserId) -> Result<bool> {
    shop.write("purge_guest", |mut tx| async move {
        // They may have said who they are meanwhile.
        match tx.users().find(id).await?.filter(is_guest) {
            Some(user) => {
                erase(shop, &mut *tx, &user, None, EndReason::Revoked).await?;
                tx.commit(true).await
            }
            None => Ok(tx.discard(false)),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{ports::UserQueries as _, world::World};

    #[tokio::test]
    async fn guests_end_with_their_time_and_nobody_else() {
        let world = World::new();
        let life = Duration::from_hours(90 * 24);
        let (ada, old) = (world.person().await.user, world.guest().await.profile.user.id);
        world.given.clock.advance(Duration::from_hours(24));
        let young = world.guest().await.profile.user.id;
        world.given.clock.advance(life.saturating_sub(Duration::from_hours(24)));
        assert_eq!(purge_guests(&world.given.shop, &world.store, life).await.unwrap(), 0, "not a moment before");
        world.given.clock.advance(Duration::from_micros(1));
        for gone in [1, 0] {
            assert_eq!(purge_guests(&world.given.shop, &world.store, life).await.unwrap(), gone);
        }
        assert_eq!(world.store.principal(old).await.unwrap(), None);
        assert!(world.store.principal(young).await.unwrap().is_some());
        assert!(world.store.principal(ada).await.unwrap().is_some());
        assert_eq!(world.store.traces().last().unwrap().1, "user.deleted");
    }
}
