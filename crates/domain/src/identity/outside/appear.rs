//! People who come with the token of an issuer we believe.

use super::{
    Stranger, Vouched,
    ports::ForeignIdQueries,
    settle::{Doubt, settle},
};
use crate::{actor::Principal, error::Result, id::UserId, identity::Known, shop::Shop};

/// Who somebody is here that an issuer vouches for; `None` when they are banned. Reads only who is not known yet; who was never
/// here gets an account.
///
/// The issuer says who it is and no more: what they may do, and whether they may come in, is known here alone, as of everybody.
///
/// # Errors
/// Those of [`Known::person`] and of the store.
pub async fn visitor(
    shop: &Shop,
    known: &Known,
    ids: &dyn ForeignIdQueries,
    vouched: &Vouched,
) -> Result<Option<Principal>> {
    let id = &vouched.stranger.id;
    let user = match known.foreign(vouched.key, || ids.user_of(id)).await? {
        Some(user) => user,
        None => match appear(shop, &vouched.stranger).await? {
            Some(user) => user,
            None => return Ok(None),
        },
    };
    known.person(user).await
}

/// [`visitor`], where they were before: nobody gets an account. For connections that stand.
///
/// # Errors
/// Those of [`Known::person`].
pub async fn still_visitor(known: &Known, ids: &dyn ForeignIdQueries, vouched: &Vouched) -> Result<Option<Principal>> {
    let id = &vouched.stranger.id;
    match known.foreign(vouched.key, || ids.user_of(id)).await? {
        Some(user) => known.person(user).await,
        None => Ok(None),
    }
}

/// Makes an account for somebody at their first use, or links them to the one of their address, where both sides know it to be
/// theirs. Nobody is there to be told of a doubt: they get an account of their own, without that address. `None` for who is deleted
/// or banned there, though a token of theirs may hold still.
///
/// # Errors
/// Those of the store.
pub async fn appear(shop: &Shop, stranger: &Stranger) -> Result<Option<UserId>> {
    shop.write("appear", |mut tx| async move {
        let now = tx.now();
        let standing = tx.standings().hold(&stranger.id).await?;
        if standing.gone || standing.barred {
            return tx.commit(None).await;
        }
        let user = settle(shop, &mut *tx, stranger, Doubt::Apart, now).await?;
        tx.commit(Some(user)).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };

    use async_trait::async_trait;

    use super::*;
    use crate::{
        bus::{Bus, Fanout, Subscription},
        cache::{InvalidatingStore, NoCache},
        identity::{
            Email, ForeignId, User,
            known::{Herald, KnownRules},
            outside::{Link, ports::Issuers as _, unlink_identity},
            ports::UserQueries as _,
        },
        permission::Role,
        testing::{Fixtures, PlainIssuers, memory::MemoryStore},
    };

    struct Silent;

    #[async_trait]
    impl Bus for Silent {
        fn publish(&self, _: &str, _: &[u8]) {}
        async fn subscribe(&self, topics: &[&str]) -> Subscription {
            Fanout::default().subscribe(topics)
        }
    }

    /// Counts what is asked of it.
    struct Counted(MemoryStore, AtomicU32);

    #[async_trait]
    impl ForeignIdQueries for Counted {
        async fn user_of(&self, id: &ForeignId) -> Result<Option<UserId>> {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.user_of(id).await
        }
        async fn of(&self, user: UserId) -> Result<Vec<Link>> {
            self.0.of(user).await
        }
    }

    struct World {
        given: Fixtures,
        store: MemoryStore,
        known: Arc<Known>,
        ids: Counted,
    }

    impl World {
        fn new() -> Self {
            let (mut given, store) = Fixtures::in_memory();
            let reader = Arc::new(store.clone());
            let rules = KnownRules { silence: Duration::from_hours(24), ..KnownRules::default() };
            let known = Known::new(reader.clone(), reader.clone(), reader.clone(), given.shop.clock.clone(), rules);
            known.heard(given.shop.now());
            let known = Arc::new(known);
            let herald = Herald { known: Arc::clone(&known), bus: Arc::new(Silent) };
            let heeded = InvalidatingStore::new(reader, Arc::new(NoCache)).before(Arc::new(herald));
            given.shop.store = Arc::new(heeded);
            let ids = Counted(store.clone(), AtomicU32::new(0));
            Self { given, store, known, ids }
        }

        async fn come(&self, subject: &str, email: Option<&str>) -> Option<Principal> {
            let until = (self.given.shop.now() + Duration::from_mins(5)).timestamp_micros();
            let email = email.map(|email| format!(".{email}")).unwrap_or_default();
            let token = format!("foreign.{subject}.{until}{email}");
            let vouched = PlainIssuers.verify(&token, self.given.shop.now()).await.unwrap().unwrap();
            visitor(&self.given.shop, &self.known, &self.ids, &vouched).await.unwrap()
        }
    }

    #[tokio::test]
    async fn who_comes_first_gets_an_account_and_is_known_from_then_on() {
        let world = World::new();
        let first = world.come("1", Some("ada@example.com")).await.unwrap();
        assert!(first.roles.has(Role::User) && !first.roles.has(Role::Admin));
        for _ in 0..3 {
            assert_eq!(world.come("1", Some("ada@example.com")).await.unwrap().user, first.user);
        }
        assert_eq!(world.ids.1.load(Ordering::SeqCst), 2, "then it is known");
        let kinds: Vec<_> = world.store.traces().into_iter().map(|(_, event)| event).collect();
        assert_eq!(kinds, ["user.created", "user.identity_linked"]);
        assert_ne!(world.come("2", None).await.unwrap().user, first.user);
    }

    #[tokio::test]
    async fn an_account_of_ours_is_theirs_only_by_a_proven_address() {
        let world = World::new();
        for (n, verified) in [(1, true), (2, false)] {
            let email = Email::stored(format!("person{n}@example.org"));
            let email_verified_at = verified.then(|| world.given.shop.now());
            let user = User { email: email.clone(), email_verified_at, ..world.given.user(Role::User) };
            let mut tx = world.given.tx().await;
            assert!(tx.users().insert(&user, "plain$correct horse").await.unwrap());
            tx.commit().await.unwrap();
            let came = world.come(&n.to_string(), Some(email.as_str())).await.unwrap().user;
            assert_eq!(came == user.id, verified);
            let own = world.store.own_account(came).await.unwrap().unwrap().user;
            assert_eq!(own.email == email, verified, "{own:?}");
        }
    }

    #[tokio::test]
    async fn a_ban_and_an_unlinking_count_at_once() {
        let world = World::new();
        let user = world.come("1", None).await.unwrap();
        let mut tx = world.given.tx().await;
        tx.users().set_password_hash(user.user, "plain$x", world.given.shop.now()).await.unwrap();
        tx.commit().await.unwrap();
        unlink_identity(&world.given.shop, &world.store, &world.given.fresh(&user), "clerk").await.unwrap();
        let other = world.come("1", None).await.unwrap();
        assert_ne!(other.user, user.user, "they begin anew");
        let by = world.given.person(Role::Admin).await;
        let ban = crate::access::BanInput { until: None, reason: Some("Spam".to_owned()) };
        let ban = ban.check(world.given.shop.now(), &mut crate::Violations::default()).unwrap();
        crate::access::ban_user(&world.given.shop, world.given.authorized(&by), other.user, ban).await.unwrap();
        assert_eq!(world.come("1", None).await, None);
    }
}
