//! Choosing a new password by a letter.

use super::{Errand, Mailroom, Purpose, Redirect, mailroom::take};
use crate::{
    error::Result,
    identity::{Email, Password, change_password::replace_password, events, ports::PasswordHasher},
    shop::Shop,
};

/// Asks for a letter with a link to choose a new password. Open to everybody, and always answered alike, after the same
/// work: whether the address is known is looked up later.
///
/// # Errors
/// Those of the store; [`crate::Error::Unavailable`] when no mail can be sent.
pub async fn request_password_reset(
    shop: &Shop,
    room: &Mailroom,
    email: &Email,
    redirect: Option<&Redirect>,
) -> Result<()> {
    let errand = Errand::Reset { email: email.clone(), redirect: redirect.cloned() };
    room.send_alone(shop, "request_password_reset", &errand).await
}

/// Uses a link up: the password is the new one. Who got the letter has the address, so it is proven with that.
///
/// # Errors
/// [`crate::Error::Unprocessable`] when the link is unknown, was used or has ended, or the account has another address by
/// now.
pub async fn confirm_password_reset(
    shop: &Shop,
    hasher: &dyn PasswordHasher,
    room: &Mailroom,
    code: &str,
    new: &Password,
) -> Result<()> {
    // Whether the link holds is asked first: whoever guesses links must not make us hash.
    shop.write("look_at_reset", |mut tx| async move {
        let now = tx.now();
        take(room, &mut *tx, Purpose::ResetPassword, code, now).await?;
        Ok(tx.discard(()))
    })
    .await?;
    let hash = &hasher.hash(new).await?;
    shop.write("reset_password", |mut tx| async move {
        let now = tx.now();
        let code = take(room, &mut *tx, Purpose::ResetPassword, code, now).await?;
        let user = tx.users().find(code.user).await?.filter(|user| user.email == code.email);
        let user = user.ok_or_else(super::mailroom::no_such_link)?;
        replace_password(shop, room, &mut *tx, &user, hash, None).await?;
        if user.email_verified_at.is_none() {
            tx.users().set_email(user.id, &user.email, Some(now), now).await?;
            shop.record(&mut *tx, Some(user.id), events::email_verified(user.id)).await?;
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
        error::Error,
        identity::{Verification, ports::UserQueries},
        mail::{Mail, Subject},
        permission::Role,
        testing::{Fixtures, PlainHasher, Postbox, memory::MemoryStore},
    };

    struct World {
        given: Fixtures,
        store: MemoryStore,
        postbox: Arc<Postbox>,
        room: Mailroom,
        hasher: PlainHasher,
    }

    impl World {
        fn new() -> Self {
            let (given, store) = Fixtures::in_memory();
            let room = Postbox::room(Verification::Off);
            Self { given, store, postbox: Arc::default(), room, hasher: PlainHasher::default() }
        }

        async fn post(&self) -> Vec<Mail> {
            self.postbox.deliver_all(&self.given.shop, &self.room, &self.store).await.unwrap()
        }

        async fn letter(&self, email: &Email, redirect: Option<&Redirect>) -> String {
            request_password_reset(&self.given.shop, &self.room, email, redirect).await.unwrap();
            self.post().await.remove(0).text
        }

        async fn confirm(&self, code: &str) -> Result<()> {
            let new = Password::parse("a new one of mine").unwrap();
            confirm_password_reset(&self.given.shop, &self.hasher, &self.room, code, &new).await
        }
    }

    fn code(link: &str) -> &str {
        link.split_once("token=").unwrap().1
    }

    #[tokio::test]
    async fn a_link_gives_a_new_password_once_and_ends_all_others() {
        let world = World::new();
        let user = world.given.person(Role::User).await.user;
        let email = world.store.profile(user).await.unwrap().unwrap().user.email;
        let redirect = world.room.links.allow("http://localhost:5173/new").unwrap();
        let older = world.letter(&email, None).await;
        let link = world.letter(&email, Some(&redirect)).await;
        assert!(link.starts_with("http://localhost:5173/new?token="), "{link}");
        assert!(matches!(world.confirm(code(&older)).await, Err(Error::Unprocessable(_))));
        assert_eq!(world.hasher.hashed(), 0, "who guesses makes us hash nothing");
        world.confirm(code(&link)).await.unwrap();
        let account = world.store.account(&email).await.unwrap().unwrap();
        assert_eq!(account.password_hash, "plain$a new one of mine");
        assert!(account.user.email_verified_at.is_some(), "who got the letter has the address");
        assert!(matches!(world.confirm(code(&link)).await, Err(Error::Unprocessable(_))), "a second time");
        let kinds: Vec<_> = world.store.traces().into_iter().map(|(_, event)| event).collect();
        assert_eq!(kinds, ["user.password_changed", "user.email_verified"]);
        let told = serde_json::to_string(&world.store.events()).unwrap()
            + &serde_json::to_string(&world.store.audit_entries()).unwrap();
        assert!(!told.contains("mine") && !told.contains("example.com") && !told.contains(code(&link)), "{told}");
        let notice = world.post().await.remove(0);
        assert_eq!((notice.to, notice.about, notice.text.as_str()), (email, Subject::PasswordChanged, ""));
    }

    #[tokio::test]
    async fn a_code_for_one_purpose_is_good_for_no_other_and_ends_in_time() {
        let world = World::new();
        let user = world.given.person(Role::User).await.user;
        let email = world.store.profile(user).await.unwrap().unwrap().user.email;
        super::super::request_verification(&world.given.shop, &world.room, &email, None).await.unwrap();
        let other = world.post().await.remove(0).text;
        assert!(matches!(world.confirm(code(&other)).await, Err(Error::Unprocessable(_))));
        let link = world.letter(&email, None).await;
        world.given.clock.advance(Purpose::ResetPassword.life());
        assert!(matches!(world.confirm(code(&link)).await, Err(Error::Unprocessable(_))));
        assert!(matches!(world.confirm(&"0".repeat(64)).await, Err(Error::Unprocessable(_))));
    }

    #[tokio::test]
    async fn known_and_unknown_addresses_are_asked_for_with_the_same_work() {
        let world = World::new();
        let user = world.given.person(Role::User).await.user;
        let known = world.store.profile(user).await.unwrap().unwrap().user.email;
        let unknown = Email::parse("nobody@example.com").unwrap();
        for email in [&known, &unknown] {
            request_password_reset(&world.given.shop, &world.room, email, None).await.unwrap();
        }
        assert_eq!(world.hasher.verified() + world.hasher.hashed(), 0);
        assert_eq!(world.store.traces(), [], "one job each and nothing else");
        let sent = world.post().await;
        assert_eq!(sent.iter().map(|mail| &mail.to).collect::<Vec<_>>(), [&known]);
    }
}
