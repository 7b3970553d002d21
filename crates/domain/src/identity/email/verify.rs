//! Proving that the address of an account is one's own.

use super::{Errand, Mailroom, Purpose, Redirect, mailroom::take};
use crate::{
    error::Result,
    identity::{Email, events},
    shop::Shop,
};

/// Asks for another letter with a link that proves the address. Open to everybody, and always answered alike: whether
/// the address is known, and not proven yet, is looked up later.
///
/// # Errors
/// Those of the store; [`crate::Error::Unavailable`] when no mail can be sent.
pub async fn request_verification(
    shop: &Shop,
    room: &Mailroom,
    email: &Email,
    redirect: Option<&Redirect>,
) -> Result<()> {
    let errand = Errand::Verify { email: email.clone(), redirect: redirect.cloned() };
    room.send_alone(shop, "request_email_verification", &errand).await
}

/// Uses a link up: the address it was sent to is proven.
///
/// # Errors
/// [`crate::Error::Unprocessable`] when it is unknown, was used or has ended, or the account has another address by now.
pub async fn confirm_email(shop: &Shop, room: &Mailroom, code: &str) -> Result<()> {
    shop.write("confirm_email", |mut tx| async move {
        let now = tx.now();
        let code = take(room, &mut *tx, Purpose::VerifyEmail, code, now).await?;
        let user = tx.users().find(code.user).await?.filter(|user| user.email == code.email);
        let user = user.ok_or_else(super::mailroom::no_such_link)?;
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
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        error::{Error, Violations},
        idempotency::Once,
        identity::{UserInput, Verification, ports::UserQueries, register_unseen},
        job::Failure,
        mail::{Mail, Subject},
        permission::Role,
        testing::{Fixtures, PlainHasher, Postbox, memory::MemoryStore},
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
            Self { given, store, postbox: Arc::default(), room: Postbox::room(Verification::On) }
        }

        async fn register(&self, email: &str) -> Result<()> {
            let input =
                UserInput { email: Some(email.to_owned()), password: Some("correct horse".to_owned()), name: None };
            let new = input.check(&mut Violations::default()).unwrap();
            register_unseen(&self.given.shop, &PlainHasher::default(), &self.room, new, &Once::always())
                .await
                .map(|_| ())
        }

        async fn request(&self, email: &str) {
            request_verification(&self.given.shop, &self.room, &Email::parse(email).unwrap(), None).await.unwrap();
        }

        async fn post(&self) -> Vec<Mail> {
            self.postbox.deliver_all(&self.given.shop, &self.room, &self.store).await.unwrap()
        }

        async fn confirm(&self, mail: &Mail) -> Result<()> {
            let (_, code) = mail.text.split_once("#token=").unwrap();
            confirm_email(&self.given.shop, &self.room, code).await
        }
    }

    #[tokio::test]
    async fn who_signs_up_proves_their_address_once() {
        let world = World::new();
        world.register("ada@example.com").await.unwrap();
        let [mail] = &world.post().await[..] else { panic!("one letter") };
        assert_eq!((mail.to.as_str(), mail.about), ("ada@example.com", Subject::VerifyEmail));
        assert!(mail.text.starts_with("https://shop.example/account/verify-email#token="), "{}", mail.text);
        let email = Email::parse("ada@example.com").unwrap();
        assert_eq!(world.store.account(&email).await.unwrap().unwrap().user.email_verified_at, None);
        world.confirm(mail).await.unwrap();
        assert_eq!(
            world.store.account(&email).await.unwrap().unwrap().user.email_verified_at,
            Some(world.given.shop.now())
        );
        assert!(matches!(world.confirm(mail).await, Err(Error::Unprocessable(_))), "a second time");
        let kinds: Vec<_> = world.store.traces().into_iter().map(|(_, event)| event).collect();
        assert_eq!(kinds, ["user.created", "user.email_verified"]);
        // Who has proven it gets no further letter.
        world.request("ada@example.com").await;
        assert_eq!(world.post().await, []);
    }

    #[tokio::test]
    async fn a_taken_address_is_told_to_its_owner_alone() {
        let world = World::new();
        world.register("ada@example.com").await.unwrap();
        let first = world.post().await;
        world.register("ADA@example.com").await.unwrap();
        let [mail] = &world.post().await[..] else { panic!("one letter") };
        assert_eq!((mail.to.as_str(), mail.about), ("ada@example.com", Subject::AddressInUse));
        assert_eq!(mail.text, "https://shop.example/account/forgotten-password");
        assert_eq!(world.store.traces().len(), 1, "no second account");
        world.confirm(&first[0]).await.unwrap();
    }

    #[tokio::test]
    async fn a_newer_letter_ends_the_older_and_every_link_ends_in_time() {
        let world = World::new();
        world.register("ada@example.com").await.unwrap();
        let older = world.post().await.remove(0);
        world.request("ada@example.com").await;
        let newer = world.post().await.remove(0);
        assert!(matches!(world.confirm(&older).await, Err(Error::Unprocessable(_))), "an older link");
        world.given.clock.advance(Purpose::VerifyEmail.life());
        assert!(matches!(world.confirm(&newer).await, Err(Error::Unprocessable(_))), "a day later");
        world.request("ada@example.com").await;
        let last = world.post().await.remove(0);
        world.given.clock.advance(Duration::from_hours(23));
        world.confirm(&last).await.unwrap();
    }

    #[tokio::test]
    async fn nobody_gets_no_letter_and_the_request_is_the_same() {
        let world = World::new();
        world.request("nobody@example.com").await;
        world.given.person(Role::User).await;
        assert_eq!(world.post().await, []);
        let queue: &dyn crate::job::ports::JobQueries = &world.store;
        let jobs = queue.list(&crate::job::ports::JobFilter::default(), first_page()).await.unwrap();
        assert!(!format!("{jobs:?}").contains("nobody"), "no address lies in the table of jobs: {jobs:?}");
    }

    fn first_page() -> crate::page::PageRequest {
        crate::page::PageRequest { page: 1, limit: crate::page::Limit::new(20).unwrap() }
    }

    #[tokio::test]
    async fn what_was_not_sent_is_sent_again_as_it_was_unless_it_is_used_by_then() {
        let world = World::new();
        world.register("ada@example.com").await.unwrap();
        world.postbox.refuse(Failure::Retry("away".to_owned()));
        assert_eq!(world.post().await, []);
        world.postbox.refuse(Failure::Retry("away".to_owned()));
        assert_eq!(world.post().await, []);
        let mail = world.post().await.remove(0);
        world.confirm(&mail).await.unwrap();
        // Replaced before it could be sent, it is not sent any more.
        let world = World::new();
        world.register("bob@example.com").await.unwrap();
        world.postbox.refuse(Failure::Retry("away".to_owned()));
        world.post().await;
        world.request("bob@example.com").await;
        world.postbox.refuse(Failure::Retry("away".to_owned()));
        let newer = world.post().await.remove(0);
        assert_eq!(world.post().await, []);
        world.confirm(&newer).await.unwrap();
    }

    #[tokio::test]
    async fn without_mails_nobody_is_promised_one() {
        let mut world = World::new();
        world.room.open = false;
        assert!(matches!(world.register("ada@example.com").await, Err(Error::Unavailable { what: "Mail", .. })));
        assert_eq!(world.store.traces(), []);
    }
}
