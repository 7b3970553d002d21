//! News of people in every order, repeated, and beside what people and operators do here.

use std::time::Duration;

use super::*;
use crate::{
    access::{Ban, BanInput, LiftBan, ban_user, lift_ban, unban_user},
    error::Error,
    identity::{
        Email, delete_when_due,
        outside::{appear, ports::ForeignIdQueries as _},
        ports::{Account, UserQueries as _},
    },
    permission::Role,
    testing::{Fixtures, memory::MemoryStore},
};

struct World {
    given: Fixtures,
    store: MemoryStore,
}

fn id(subject: &str) -> ForeignId {
    ForeignId { issuer: "https://clerk.example".to_owned(), subject: subject.to_owned() }
}

fn stranger(name: &str, email: Option<&str>) -> Stranger {
    Stranger {
        id: id("user_1"),
        provider: "clerk".to_owned(),
        email: email.map(|email| Email::stored(email.to_owned())),
        email_verified: true,
        name: Some(name.to_owned()),
    }
}

impl World {
    fn new() -> Self {
        let (given, store) = Fixtures::in_memory();
        Self { given, store }
    }

    async fn hear(&self, news: News) -> Result<(Followed, Option<UserId>)> {
        let (shop, news, id) = (&self.given.shop, &news, &id("user_1"));
        shop.write("hear", |mut tx| async move {
            let now = tx.now();
            let heard = follow(shop, &mut *tx, id, news.clone(), now).await?;
            tx.commit(heard).await
        })
        .await
    }

    /// What is told of them at a moment there.
    async fn is(&self, at: i64, stranger: Stranger, barred: bool) -> Followed {
        let at = Timestamp::from_timestamp(at, 0).unwrap();
        self.hear(News::Is { stranger, at, barred }).await.unwrap().0
    }

    async fn gone(&self) -> Followed {
        self.hear(News::Gone).await.unwrap().0
    }

    async fn user(&self) -> Option<UserId> {
        self.store.user_of(&id("user_1")).await.unwrap()
    }

    async fn account(&self) -> Account {
        self.store.own_account(self.user().await.unwrap()).await.unwrap().unwrap()
    }

    async fn banned(&self, user: UserId) -> Option<Ban> {
        self.given.tx().await.bans().find(user).await.unwrap()
    }

    fn told(&self) -> Vec<String> {
        self.store.traces().into_iter().map(|(_, event)| event).collect()
    }
}

#[tokio::test]
async fn who_is_told_of_gets_an_account_and_goes_on_as_they_are_there() {
    let world = World::new();
    assert_eq!(world.is(1, stranger("Ada", Some("ada@example.com")), false).await, Followed::Appeared);
    let user = world.user().await.unwrap();
    assert_eq!(world.is(1, stranger("Ada", Some("ada@example.com")), false).await, Followed::Unchanged);
    world.given.stored_session(user).await;
    assert_eq!(world.is(2, stranger("Ada L.", Some("ada@example.org")), false).await, Followed::Changed);
    let account = world.account().await.user;
    assert_eq!((account.id, account.name.as_str(), account.email.as_str()), (user, "Ada L.", "ada@example.org"));
    assert!(account.email_verified_at.is_some());
    let link = world.store.of(user).await.unwrap().remove(0);
    assert_eq!(link.email, Some(account.email));
    assert_eq!(
        world.told(),
        ["user.created", "user.identity_linked", "user.renamed", "user.email_changed"],
        "and nothing was ended"
    );
    let logs = serde_json::to_string(&(world.store.events(), world.store.audit_entries())).unwrap();
    assert!(!logs.contains("ada@") && !logs.contains("Ada"), "{logs}");
}

#[tokio::test]
async fn an_older_word_undoes_nothing_and_repetition_changes_nothing() {
    let world = World::new();
    // `user.updated` comes before `user.created`.
    assert_eq!(world.is(5, stranger("Later", Some("later@example.com")), false).await, Followed::Appeared);
    let before = world.told();
    for at in [1, 4] {
        assert_eq!(world.is(at, stranger("Older", Some("older@example.com")), true).await, Followed::Older);
    }
    for _ in 0..3 {
        assert_eq!(world.is(5, stranger("Later", Some("later@example.com")), false).await, Followed::Unchanged);
    }
    assert_eq!(world.told(), before);
    let account = world.account().await.user;
    assert_eq!((account.name.as_str(), account.email.as_str()), ("Later", "later@example.com"));
}

#[tokio::test]
async fn who_was_deleted_there_stays_so_in_every_order() {
    for early in [true, false] {
        let world = World::new();
        if !early {
            assert_eq!(world.is(1, stranger("Ada", Some("ada@example.com")), false).await, Followed::Appeared);
        }
        let user = world.user().await;
        assert_eq!(world.gone().await, if early { Followed::Nobody } else { Followed::Deleted });
        for _ in 0..2 {
            assert_eq!(world.gone().await, Followed::Gone);
            assert_eq!(world.is(9, stranger("Ada", Some("ada@example.com")), false).await, Followed::Gone);
        }
        assert_eq!(world.user().await, None);
        // A token of theirs may hold for a minute more.
        assert_eq!(appear(&world.given.shop, &stranger("Ada", None)).await.unwrap(), None);
        let Some(user) = user else { continue };
        let due = world.given.tx().await.users().deletion(user).await.unwrap().unwrap();
        delete_when_due(&world.given.shop, DeletePerson { user, due }).await.unwrap();
        assert_eq!(world.store.principal(user).await.unwrap(), None);
        let told = world.told();
        assert!(
            told.ends_with(&["user.identity_unlinked", "user.deletion_requested", "user.deleted"].map(str::to_owned))
        );
    }
}

#[tokio::test]
async fn who_has_another_way_in_keeps_their_account() {
    let world = World::new();
    world.is(1, stranger("Ada", Some("ada@example.com")), false).await;
    let user = world.user().await.unwrap();
    let mut tx = world.given.tx().await;
    tx.users().set_password_hash(user, "plain$x", world.given.shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    let session = world.given.stored_session(user).await;
    assert_eq!(world.gone().await, Followed::Unlinked);
    assert!(world.given.tx().await.sessions().find(session.id).await.unwrap().unwrap().ended.is_some());
    assert_eq!(world.given.tx().await.users().deletion(user).await.unwrap(), None);
    assert_eq!(world.store.of(user).await.unwrap(), []);
    assert!(world.store.principal(user).await.unwrap().is_some());
}

#[tokio::test]
async fn who_left_here_is_made_no_account_by_what_is_told_of_them_there() {
    let world = World::new();
    // They came by a token, and nothing was told of them.
    let user = appear(&world.given.shop, &stranger("Ada", None)).await.unwrap().unwrap();
    let admin = world.given.person(Role::Admin).await;
    crate::identity::delete_person(&world.given.shop, &world.given.authorized(&admin), user).await.unwrap();
    let later = world.given.shop.now().timestamp() + 60;
    assert_eq!(world.is(later, stranger("Ada", Some("ada@example.com")), false).await, Followed::Nobody);
    assert_eq!(world.user().await, None);
    // Unlinking is leaving too.
    let bob = World::new();
    bob.is(1, stranger("Bob", None), false).await;
    let user = bob.user().await.unwrap();
    let mut tx = bob.given.tx().await;
    tx.users().set_password_hash(user, "plain$x", bob.given.shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    let by = bob.given.fresh(&crate::Principal::delivered(user, crate::permission::Roles::new([Role::User])));
    crate::identity::outside::unlink_identity(&bob.given.shop, &bob.store, &by, "clerk").await.unwrap();
    assert_eq!(bob.is(later, stranger("Bob", None), false).await, Followed::Nobody);
    // They may come again by themselves.
    assert_ne!(appear(&world.given.shop, &stranger("Ada", None)).await.unwrap().unwrap(), user);
}

#[tokio::test]
async fn a_ban_there_counts_here_until_it_is_lifted_there() {
    let world = World::new();
    world.is(1, stranger("Ada", None), false).await;
    let user = world.user().await.unwrap();
    let session = world.given.stored_session(user).await;
    for at in [2, 3] {
        let changed = if at == 2 { Followed::Changed } else { Followed::Unchanged };
        assert_eq!(world.is(at, stranger("Ada", None), true).await, changed);
        assert_eq!(world.banned(user).await.unwrap().by, None);
    }
    assert!(world.given.tx().await.sessions().find(session.id).await.unwrap().unwrap().ended.is_some());
    assert_eq!(world.store.principal(user).await.unwrap(), None);
    assert_eq!(world.is(1, stranger("Ada", None), false).await, Followed::Older);
    assert!(world.banned(user).await.is_some());
    assert_eq!(world.is(4, stranger("Ada", None), false).await, Followed::Changed);
    assert_eq!(world.banned(user).await, None);
}

#[tokio::test]
async fn who_is_banned_there_gets_no_account() {
    let world = World::new();
    assert_eq!(world.is(1, stranger("Ada", None), true).await, Followed::Nobody);
    assert_eq!(appear(&world.given.shop, &stranger("Ada", None)).await.unwrap(), None);
    assert_eq!(world.is(2, stranger("Ada", None), false).await, Followed::Nobody);
    assert!(appear(&world.given.shop, &stranger("Ada", None)).await.unwrap().is_some());
    assert_eq!(world.is(3, stranger("Ada Z.", None), false).await, Followed::Changed);
}

#[tokio::test]
async fn an_operator_of_the_shop_has_the_last_word() {
    let world = World::new();
    world.is(1, stranger("Ada", None), false).await;
    let user = world.user().await.unwrap();
    let admin = world.given.person(Role::Admin).await;
    let by = || world.given.authorized(&admin);
    let until = world.given.shop.now() + Duration::from_hours(1);
    let ban = BanInput { until: Some(until), reason: Some("Spam".to_owned()) };
    let ban = ban.check(world.given.shop.now(), &mut crate::Violations::default()).unwrap();
    ban_user(&world.given.shop, by(), user, ban).await.unwrap();
    assert_eq!(world.is(2, stranger("Ada", None), true).await, Followed::Unchanged);
    assert_eq!(world.banned(user).await.unwrap().by, Some(admin.user), "theirs is not replaced");
    // When it is over, the one there counts.
    lift_ban(&world.given.shop, LiftBan { user, until }).await.unwrap();
    assert_eq!(world.banned(user).await.unwrap().by, None);
    unban_user(&world.given.shop, by(), user).await.unwrap();
    assert_eq!(world.is(3, stranger("Ada", None), true).await, Followed::Unchanged);
    assert_eq!(world.banned(user).await, None, "let in by somebody here");
    world.is(4, stranger("Ada", None), false).await;
    assert_eq!(world.is(5, stranger("Ada", None), true).await, Followed::Changed, "banned there anew");
}

#[tokio::test]
async fn the_last_administrator_is_not_shut_out_from_outside() {
    let world = World::new();
    world.is(1, stranger("Ada", None), false).await;
    let user = world.user().await.unwrap();
    let mut tx = world.given.tx().await;
    tx.users().grant(user, Role::Admin, world.given.shop.now()).await.unwrap();
    tx.commit().await.unwrap();
    let at = Timestamp::from_timestamp(2, 0).unwrap();
    let barred = || world.hear(News::Is { stranger: stranger("Ada", None), at, barred: true });
    assert!(matches!(barred().await, Err(Error::Conflict(_))));
    assert_eq!(world.banned(user).await, None);
    world.given.person(Role::Admin).await;
    assert_eq!(barred().await.unwrap().0, Followed::Changed);
}

#[tokio::test]
async fn what_somebody_has_of_their_own_stays() {
    let world = World::new();
    // An account of a password, which the same person has linked.
    let own = User {
        email: Email::stored("ada@home.example".to_owned()),
        email_verified_at: Some(world.given.shop.now()),
        ..world.given.user(Role::User)
    };
    let taken = world.given.user(Role::User);
    let mut tx = world.given.tx().await;
    assert!(tx.users().insert(&own, "plain$x").await.unwrap() && tx.users().insert(&taken, "plain$x").await.unwrap());
    tx.commit().await.unwrap();
    world.given.clock.advance(Duration::from_secs(1));
    let there = stranger("Ada", Some("ada@work.example"));
    let mut tx = world.given.tx().await;
    assert!(tx.foreign_ids().insert(&Link::of(&there, own.id, world.given.shop.now())).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(world.is(1, there, false).await, Followed::Unchanged);
    assert_eq!(world.is(2, stranger("Ada", Some("ada@elsewhere.example")), false).await, Followed::Unchanged);
    let account = world.account().await.user;
    assert_eq!((&account.name, account.email.as_str()), (&own.name, "ada@home.example"));
    // The address of somebody else is theirs, whoever vouches for it; one that nobody vouches for is not looked at.
    let world = World::new();
    world.is(1, stranger("Ada", Some("ada@example.com")), false).await;
    let mut tx = world.given.tx().await;
    assert!(tx.users().insert(&taken, "plain$x").await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(world.is(2, stranger("Ada", Some(taken.email.as_str())), false).await, Followed::Unchanged);
    let unproven = Stranger { email_verified: false, ..stranger("Ada", Some("new@example.com")) };
    assert_eq!(world.is(3, unproven, false).await, Followed::Unchanged);
    assert_eq!(world.account().await.user.email.as_str(), "ada@example.com");
}
