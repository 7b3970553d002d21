//! Changing the address one signs in with.

use super::{Errand, Mailroom, Purpose, Redirect, mailroom::take};
use crate::{
    error::{Error, Result},
    identity::{
        Email, EndReason, Leave, Proof, end_sessions_of, events,
        guests::{become_user, is_guest},
    },
    permission::{Authorized, ChangeAccount},
    shop::Shop,
};

/// Asks for a letter to the new address, with a link that makes it the caller's. Always answered alike: whether the address
/// is somebody's is looked up later, and told to its owner alone.
///
/// # Errors
/// [`Error::Forbidden`] when the present password is another, [`Error::Limited`] after too many wrong ones,
/// [`Error::Unavailable`] when no mail can be sent.
pub async fn request_email_change(
    shop: &Shop,
    room: &Mailroom,
    proof: Proof<'_>,
    by: &Authorized<ChangeAccount>,
    leave: Leave<'_>,
    new: &Email,
    redirect: Option<&Redirect>,
) -> Result<()> {
    proof.leave(by, leave).await?;
    proof.throttle.letter(new).await?;
    let errand = Errand::Change { user: by.principal().user, email: new.clone(), redirect: redirect.cloned() };
    room.send_alone(shop, "request_email_change", &errand).await
}

/// Uses a link up: the account has the address it was sent to. Whoever reads the old one is told. A guest who asked for it is a user
/// from then on.
///
/// # Errors
/// [`Error::Unprocessable`] when the link is unknown, was used or has ended; [`Error::Conflict`] when the address became
/// somebody else's meanwhile.
pub async fn confirm_email_change(shop: &Shop, room: &Mailroom, code: &str) -> Result<()> {
    shop.write("change_email", |mut tx| async move {
        let now = tx.now();
        let code = take(room, &mut *tx, Purpose::ChangeEmail, code, now).await?;
        let user = tx.users().find(code.user).await?.ok_or_else(super::mailroom::no_such_link)?;
        if !tx.users().set_email(user.id, &code.email, Some(now), now).await? {
            return Err(Error::conflict("This email is another account's by now; choose a different one"));
        }
        // What was sent to the old address is good for nothing any more.
        tx.codes().clear(user.id).await?;
        shop.record(&mut *tx, Some(user.id), events::email_changed(user.id)).await?;
        if is_guest(&user) {
            // Whoever gave them the session they came with is not let into their account.
            end_sessions_of(shop, &mut *tx, user.id, None, EndReason::PasswordChanged, Some(user.id)).await?;
            become_user(shop, &mut *tx, &user, now).await?;
        } else if room.open {
            room.send(shop, &mut *tx, &Errand::EmailChanged { before: user.email }).await?;
        }
        tx.commit(()).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        Principal,
        identity::{Password, Verification, ports::UserQueries},
        mail::{Mail, Subject},
        permission::Role,
        testing::{Fixtures, PlainHasher, Postbox, Turnstile, memory::MemoryStore},
    };

    struct World {
        given: Fixtures,
        store: MemoryStore,
        postbox: Arc<Postbox>,
        room: Mailroom,
    }

    impl World {
        fn new() -> Self {
            let (given, store) = Fixtures::in_memory();
            Self { given, store, postbox: Arc::default(), room: Postbox::room(Verification::Off) }
        }

        async fn request(&self, by: &Principal, password: &str, email: &str) -> Result<()> {
            let (hasher, turnstile) = (PlainHasher::default(), Turnstile::default());
            let proof = Proof {
                users: &self.store,
                hasher: &hasher,
                throttle: turnstile.throttle(&self.store, [127, 0, 0, 1]),
            };
            let (by, current) = (self.given.authorized(by), Password::given(password.to_owned()));
            let email = Email::parse(email).unwrap();
            request_email_change(&self.given.shop, &self.room, proof, &by, Leave::Current(&current), &email, None).await
        }

        async fn post(&self) -> Vec<Mail> {
            self.postbox.deliver_all(&self.given.shop, &self.room, &self.store).await.unwrap()
        }

        async fn email(&self, of: &Principal) -> String {
            self.store.profile(of.user).await.unwrap().unwrap().user.email.as_str().to_owned()
        }

        async fn confirm(&self, mail: &Mail) -> Result<()> {
            confirm_email_change(&self.given.shop, &self.room, mail.text.split_once("#token=").unwrap().1).await
        }
    }

    #[tokio::test]
    async fn the_new_address_confirms_and_the_old_one_is_told() {
        let world = World::new();
        let ada = world.given.person(Role::User).await;
        let before = world.email(&ada).await;
        assert!(matches!(world.request(&ada, "wrong", "new@example.com").await, Err(Error::Forbidden(_))));
        assert_eq!(world.post().await, []);
        world.request(&ada, "correct horse", "new@example.com").await.unwrap();
        let mail = world.post().await.remove(0);
        assert_eq!((mail.to.as_str(), mail.about), ("new@example.com", Subject::ChangeEmail));
        assert_eq!(world.email(&ada).await, before, "not before it is confirmed");
        world.confirm(&mail).await.unwrap();
        let user = world.store.profile(ada.user).await.unwrap().unwrap().user;
        assert_eq!((user.email.as_str(), user.email_verified_at), ("new@example.com", Some(world.given.shop.now())));
        assert!(matches!(world.confirm(&mail).await, Err(Error::Unprocessable(_))));
        let notice = world.post().await.remove(0);
        assert_eq!((notice.to.as_str(), notice.about), (before.as_str(), Subject::EmailChanged));
        assert_eq!(world.store.traces(), [("user.change_email".to_owned(), "user.email_changed".to_owned())]);
    }

    #[tokio::test]
    async fn an_address_of_somebody_else_is_told_to_its_owner_alone() {
        let world = World::new();
        let (ada, bob) = (world.given.person(Role::User).await, world.given.person(Role::User).await);
        let theirs = world.email(&bob).await;
        world.request(&ada, "correct horse", &theirs).await.unwrap();
        let mail = world.post().await.remove(0);
        assert_eq!((mail.to.as_str(), mail.about), (theirs.as_str(), Subject::AddressInUse));
    }

    #[tokio::test]
    async fn an_address_taken_meanwhile_is_a_conflict() {
        let world = World::new();
        let (ada, bob) = (world.given.person(Role::User).await, world.given.person(Role::User).await);
        for one in [&ada, &bob] {
            world.request(one, "correct horse", "new@example.com").await.unwrap();
        }
        let [first, second] = &world.post().await[..] else { panic!("two letters") };
        world.confirm(first).await.unwrap();
        assert!(matches!(world.confirm(second).await, Err(Error::Conflict(_))));
    }

    #[tokio::test]
    async fn what_waits_for_the_old_address_ends_with_it() {
        let world = World::new();
        let ada = world.given.person(Role::User).await;
        let old = Email::parse(&world.email(&ada).await).unwrap();
        super::super::request_password_reset(&world.given.shop, &world.room, &old, None).await.unwrap();
        let reset = world.post().await.remove(0);
        world.request(&ada, "correct horse", "new@example.com").await.unwrap();
        world.confirm(&world.post().await.remove(0)).await.unwrap();
        let code = reset.text.split_once("#token=").unwrap().1;
        let (hasher, new) = (PlainHasher::default(), Password::parse("a new one of mine").unwrap());
        let late = super::super::confirm_password_reset(&world.given.shop, &hasher, &world.room, code, &new).await;
        assert!(matches!(late, Err(Error::Unprocessable(_))));
    }
}
