//! Linking one's account to a provider, and taking that back.

use super::{Gate, Link, gate::no_such_step, part, settle};
use crate::{
    error::{Error, Result},
    identity::{Fresh, NO_PASSWORD, doors::doors, events, ports::UserQueries},
    permission::ChangeAccount,
    shop::Shop,
};

/// Links the caller's account to whom a provider vouched for. The page that began redeems the code, signed in as the caller: so
/// nobody is brought to link their identity to somebody else's account.
///
/// # Errors
/// [`Error::Unprocessable`] for a code that is not good, [`Error::Conflict`] for an identity of somebody else, and where the account
/// has another one of that provider.
pub async fn link_identity(
    shop: &Shop,
    gate: &Gate,
    by: &Fresh<ChangeAccount>,
    code: &str,
    verifier: &str,
) -> Result<Link> {
    let user = by.principal().user;
    shop.write("link_identity", |mut tx| async move {
        let now = tx.now();
        let Some(stranger) = gate.redeem(&mut *tx, code, verifier, now).await? else { return tx.commit(None).await };
        let owner = tx.foreign_ids().user_of(&stranger.id).await?;
        if owner.is_some_and(|owner| owner != user) {
            return Err(Error::Conflict("Another account is linked to this identity".to_owned()));
        }
        if owner.is_none() && !settle::link(shop, &mut *tx, &stranger, user, now).await? {
            return Err(Error::Conflict(
                "This account is linked to another identity of the provider; unlink that first".to_owned(),
            ));
        }
        let linked = tx.foreign_ids().of(user).await?.into_iter().find(|link| link.id == stranger.id);
        tx.commit(linked).await
    })
    .await?
    .ok_or_else(no_such_step)
}

/// Takes away what links the caller's account to a provider: it does not open the account any more, and tokens of it are
/// nobody's, at once.
///
/// # Errors
/// [`Error::NotFound`] when they are not linked, [`Error::Conflict`] when it is their last way in.
pub async fn unlink_identity(
    shop: &Shop,
    users: &dyn UserQueries,
    by: &Fresh<ChangeAccount>,
    provider: &str,
) -> Result<()> {
    let user = by.principal().user;
    // A password is never taken away, so it may be looked for before.
    let has_password = users.own_account(user).await?.is_some_and(|account| account.password_hash != NO_PASSWORD);
    shop.write("unlink_identity", |mut tx| async move {
        let doors = doors(&mut *tx, user).await?;
        let links = tx.foreign_ids().of(user).await?;
        let link = links.iter().find(|link| link.provider == provider).ok_or(Error::NotFound("Identity"))?;
        if doors < 2 && !has_password {
            return Err(Error::conflict(
                "It is your last way in; choose a password, add a passkey or link another provider first",
            ));
        }
        let now = tx.now();
        part(&mut *tx, &link.id, now).await?;
        tx.foreign_ids().remove(user, provider).await?;
        shop.record(&mut *tx, Some(user), events::identity_unlinked(user, provider)).await?;
        tx.commit(()).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        actor::Principal,
        identity::{
            Links,
            outside::{
                Answered, Stranger, begin_sign_in, hear_provider,
                ports::{ForeignIdQueries as _, Providers as _},
            },
        },
        permission::Role,
        testing::{Fixtures, PlainProviders, memory::MemoryStore},
    };

    struct World {
        given: Fixtures,
        store: MemoryStore,
        providers: Arc<PlainProviders>,
    }

    impl World {
        fn new() -> Self {
            let (given, store) = Fixtures::in_memory();
            Self { given, store, providers: Arc::default() }
        }

        async fn code(&self, provider: &str, stranger: Stranger) -> String {
            self.providers.vouch("c", Ok(stranger));
            let links = Links::new("https://shop.example", vec!["https://app.example".to_owned()]);
            let redirect = links.allow("https://app.example").unwrap();
            let (shop, gate, challenge) = (&self.given.shop, self.providers.gate(), self.providers.challenge("v"));
            let went = begin_sign_in(shop, &gate, provider, &redirect, &challenge, None).await.unwrap();
            let state = went.to.split_once("state=").unwrap().1.split('&').next().unwrap();
            let answered = Answered { state, code: Some("c"), ..Answered::default() };
            let back = hear_provider(shop, &gate, provider, answered, Some(&went.browser)).await.unwrap();
            back.split_once("code=").unwrap().1.to_owned()
        }

        async fn link(&self, by: &Principal, provider: &str, stranger: Stranger) -> Result<Link> {
            let code = self.code(provider, stranger).await;
            link_identity(&self.given.shop, &self.providers.gate(), &self.given.fresh(by), &code, "v").await
        }

        async fn unlink(&self, by: &Principal, provider: &str) -> Result<()> {
            unlink_identity(&self.given.shop, &self.store, &self.given.fresh(by), provider).await
        }
    }

    fn somebody(subject: &str) -> Stranger {
        PlainProviders::somebody(subject, Some("elsewhere@example.com"), false)
    }

    #[tokio::test]
    async fn a_person_links_whom_a_provider_vouches_for_whatever_their_address() {
        let world = World::new();
        let (ada, bob) = (world.given.person(Role::User).await, world.given.person(Role::User).await);
        let link = world.link(&ada, "google", somebody("1")).await.unwrap();
        assert_eq!((link.user, link.provider.as_str()), (ada.user, "google"));
        assert_eq!(world.link(&ada, "google", somebody("1")).await.unwrap(), link, "a second time changes nothing");
        assert!(matches!(world.link(&bob, "google", somebody("1")).await, Err(Error::Conflict(_))));
        assert!(matches!(world.link(&ada, "google", somebody("2")).await, Err(Error::Conflict(_))));
        let told: Vec<_> = world.store.traces().into_iter().map(|(action, _)| action).collect();
        assert_eq!(told, ["user.link_identity"]);
        let code = world.code("google", somebody("3")).await;
        let (shop, gate) = (&world.given.shop, world.providers.gate());
        let other_page = link_identity(shop, &gate, &world.given.fresh(&bob), &code, "w").await;
        assert!(matches!(other_page, Err(Error::Unprocessable(_))));
    }

    #[tokio::test]
    async fn the_last_way_in_stays() {
        let world = World::new();
        let with_password = world.given.person(Role::User).await;
        world.link(&with_password, "google", somebody("1")).await.unwrap();
        world.unlink(&with_password, "google").await.unwrap();
        assert!(matches!(world.unlink(&with_password, "google").await, Err(Error::NotFound(_))));
        let user = world.given.user(Role::User);
        let mut tx = world.given.tx().await;
        assert!(tx.users().insert(&user, NO_PASSWORD).await.unwrap());
        tx.commit().await.unwrap();
        let without = Principal::delivered(user.id, user.roles);
        world.link(&without, "google", somebody("1")).await.unwrap();
        assert!(matches!(world.unlink(&without, "google").await, Err(Error::Conflict(_))));
        let at_apple =
            Stranger { id: crate::identity::ForeignId { issuer: "apple".into(), ..somebody("9").id }, ..somebody("9") };
        world.link(&without, "apple", at_apple).await.unwrap();
        world.unlink(&without, "google").await.unwrap();
        assert!(matches!(world.unlink(&without, "apple").await, Err(Error::Conflict(_))));
        assert_eq!(world.store.of(user.id).await.unwrap().len(), 1);
    }
}
