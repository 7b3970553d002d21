//! Signing in without saying who one is.

use crate::{
    error::{Error, Result},
    id::UserId,
    identity::{
        Client, Email, Method, NO_PASSWORD, Profile, Proven, Sessions, SignedIn, User, events, outside::NOWHERE,
    },
    permission::{Role, Roles},
    shop::Shop,
};

/// What guests are called.
const NAME: &str = "Guest";

/// Makes an account for somebody who says nothing of themselves, and a session, which is the only way into it: it lasts as long as the
/// account ([`crate::identity::SessionRules::guest`]). Open to everybody.
///
/// # Errors
/// [`Error::Forbidden`] where the shop takes no guests.
pub async fn enter_as_guest(shop: &Shop, sessions: &Sessions, client: &Client) -> Result<SignedIn> {
    if sessions.rules.guest.is_none() {
        return Err(Error::forbidden("This shop takes no guests; sign up instead"));
    }
    shop.write("enter_as_guest", |mut tx| async move {
        let now = tx.now();
        let id = shop.id::<UserId>();
        let user = User {
            id,
            email: Email::stored(format!("{id}@{NOWHERE}")),
            name: NAME.to_owned(),
            email_verified_at: None,
            roles: Roles::new([Role::Guest]),
            created_at: now,
            updated_at: now,
        };
        if !tx.users().insert(&user, NO_PASSWORD).await? {
            return Err(Error::internal("an id was given twice"));
        }
        shop.record(&mut *tx, Some(id), events::user_created(&user)).await?;
        let profile = Profile { user, seller: None };
        let signed = sessions.begin(shop, &mut *tx, &profile, client, Proven::by(Method::Anonymous)).await?;
        let signed = signed.ok_or_else(|| Error::internal("a guest is gone who was just made"))?;
        tx.commit(signed).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        actor::Actor,
        identity::{ports::UserQueries as _, world::World},
        permission::{ChangeAccount, OwnAccount, UseRooms, WriteProducts, WriteReviews},
    };

    #[tokio::test]
    async fn a_guest_has_an_account_and_may_no_more_than_look_at_it() {
        let world = World::new();
        let first = world.guest().await;
        let other = world.guest().await;
        assert_ne!(first.profile.user.id, other.profile.user.id);
        assert!(first.profile.user.email.is_nowhere());
        let actor = Actor::Signed(world.store.principal(first.profile.user.id).await.unwrap().unwrap());
        actor.authorize::<OwnAccount>().unwrap();
        assert!(actor.authorize::<ChangeAccount>().is_err() && actor.authorize::<UseRooms>().is_err());
        assert!(actor.authorize::<WriteReviews>().is_err() && actor.authorize::<WriteProducts>().is_err());
        let told: Vec<_> = world.store.traces().into_iter().map(|(_, event)| event).collect();
        assert_eq!(told, ["user.created", "session.created", "user.created", "session.created"]);
    }

    #[tokio::test]
    async fn the_session_of_a_guest_lasts_as_long_as_the_account() {
        let world = World::new();
        let (began, life) = (world.given.shop.now(), Duration::from_hours(90 * 24));
        let mut signed = world.guest().await;
        assert_eq!(signed.refresh_until, began + life);
        // Longer than the session of anybody else may lie unused, or last.
        world.given.clock.advance(Duration::from_hours(89 * 24));
        signed =
            world.sessions().refresh(&world.given.shop, &signed.refresh, &Client::default()).await.unwrap().unwrap();
        assert_eq!(signed.refresh_until, began + life);
        world.given.clock.advance(Duration::from_hours(24));
        let late = world.sessions().refresh(&world.given.shop, &signed.refresh, &Client::default()).await.unwrap();
        assert_eq!(late, None);
    }

    #[tokio::test]
    async fn a_shop_may_take_no_guests() {
        let world = World::new();
        let mut sessions = world.sessions().clone();
        sessions.rules.guest = None;
        let refused = enter_as_guest(&world.given.shop, &sessions, &Client::default()).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))));
        assert_eq!(world.store.traces(), []);
    }
}
