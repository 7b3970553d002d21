//! Signing in with what a provider vouched for.

use super::{
    Gate,
    gate::no_such_step,
    settle::{Doubt, settle},
};
use crate::{
    error::Result,
    identity::{Admitted, Client, Login, Method, Proven},
    shop::Shop,
};

/// What a page sends to sign its person in.
#[derive(Debug, Clone)]
pub struct ProviderLogin {
    /// The code it was given.
    pub code: String,
    /// What fits the challenge it began with.
    pub verifier: String,
    /// Where the person signs in from.
    pub client: Client,
}

impl Login<'_> {
    /// Signs in whom a provider vouched for: into the account they are linked to, or the one of their address, where both sides
    /// know it to be theirs; else into a new one.
    ///
    /// # Errors
    /// [`crate::Error::Unprocessable`] for a code that is not good, or another page's; [`crate::Error::Conflict`] where there is an account of
    /// their address that is not surely theirs; [`crate::Error::Forbidden`] for who is banned, or must prove an address first.
    pub async fn with_provider(self, shop: &Shop, gate: &Gate, given: ProviderLogin) -> Result<Admitted> {
        let (code, verifier, doubt) = (&given.code, &given.verifier, Doubt::Refuse(self.verification));
        let user = shop
            .write("sign_in_with_provider", |mut tx| async move {
                let now = tx.now();
                // It stays taken when it is another page's.
                let Some(stranger) = gate.redeem(&mut *tx, code, verifier, now).await? else {
                    return tx.commit(None).await;
                };
                let user = settle(shop, &mut *tx, &stranger, doubt, now).await?;
                tx.commit(Some(user)).await
            })
            .await?;
        let account = match user {
            Some(user) => self.users.own_account(user).await?,
            None => None,
        };
        let account = account.ok_or_else(no_such_step)?;
        self.must_be_verified(&account)?;
        let admitted = self.open(shop, account, &given.client, Proven::by(Method::External)).await?;
        admitted.ok_or_else(no_such_step)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::{
        Error,
        access::Ban,
        identity::{
            Email, Links, NO_PASSWORD, SessionRules, Sessions, SignedIn, User, Verification,
            outside::{
                Answered, Departure, Stranger, begin_sign_in, hear_provider,
                ports::{Declined, ForeignIdQueries as _, Providers as _},
            },
            ports::{Tokens as _, UserQueries as _},
            request_password_reset,
        },
        permission::Role,
        testing::{
            Fixtures, PlainHasher, PlainMac, PlainProviders, PlainTokens, Postbox, Turnstile, memory::MemoryStore,
        },
    };

    const VERIFIER: &str = "the page's own";

    struct World {
        given: Fixtures,
        store: MemoryStore,
        providers: Arc<PlainProviders>,
        verification: Verification,
    }

    impl World {
        fn new(verification: Verification) -> Self {
            let (given, store) = Fixtures::in_memory();
            Self { given, store, providers: Arc::default(), verification }
        }

        async fn begin(&self, browser: Option<&str>) -> Departure {
            let links = Links::new("https://shop.example", vec!["https://app.example".to_owned()]);
            let redirect = links.allow("https://app.example/in?x=1").unwrap();
            let challenge = self.providers.challenge(VERIFIER);
            begin_sign_in(&self.given.shop, &self.providers.gate(), "google", &redirect, &challenge, browser)
                .await
                .unwrap()
        }

        async fn hear(&self, provider: &str, state: &str, code: &str, browser: Option<&str>) -> Result<String> {
            let answered = Answered { state, code: Some(code), ..Answered::default() };
            hear_provider(&self.given.shop, &self.providers.gate(), provider, answered, browser).await
        }

        /// The code that the page gets for somebody.
        async fn code(&self, answer: Result<Stranger, Declined>) -> String {
            self.providers.vouch("c", answer);
            let went = self.begin(None).await;
            let back = self.hear("google", state(&went), "c", Some(&went.browser)).await.unwrap();
            back.strip_prefix("https://app.example/in?x=1&code=").unwrap().to_owned()
        }

        async fn redeem(&self, code: &str, verifier: &str) -> Result<SignedIn> {
            let (hasher, turnstile) = (PlainHasher::default(), Turnstile::default());
            let sessions =
                Sessions { tokens: Arc::new(PlainTokens), mac: Arc::new(PlainMac), rules: SessionRules::default() };
            let login = Login {
                users: &self.store,
                hasher: &hasher,
                sessions: &sessions,
                throttle: turnstile.throttle(&self.store, [127, 0, 0, 1]),
                verification: self.verification,
            };
            let given =
                ProviderLogin { code: code.to_owned(), verifier: verifier.to_owned(), client: Client::default() };
            let admitted = login.with_provider(&self.given.shop, &self.providers.gate(), given).await?;
            Ok(admitted.signed_in().unwrap())
        }

        async fn enter(&self, stranger: Stranger) -> Result<SignedIn> {
            let code = self.code(Ok(stranger)).await;
            self.redeem(&code, VERIFIER).await
        }

        /// Somebody who signed up with a password.
        async fn person(&self, email: &str, verified: bool) -> User {
            let now = self.given.shop.now();
            let email_verified_at = verified.then_some(now);
            let user =
                User { email: Email::stored(email.to_owned()), email_verified_at, ..self.given.user(Role::User) };
            let mut tx = self.given.tx().await;
            assert!(tx.users().insert(&user, "plain$correct horse").await.unwrap());
            tx.commit().await.unwrap();
            user
        }
    }

    fn state(went: &Departure) -> &str {
        went.to.split_once("state=").unwrap().1.split('&').next().unwrap()
    }

    fn ada(verified: bool) -> Stranger {
        PlainProviders::somebody("1", Some("ada@example.com"), verified)
    }

    #[tokio::test]
    async fn somebody_new_gets_an_account_and_comes_back_to_it() {
        let world = World::new(Verification::Off);
        let signed = world.enter(ada(true)).await.unwrap();
        let user = signed.profile.user.clone();
        assert_eq!((user.email.as_str(), user.name.as_str()), ("ada@example.com", "Ada"));
        assert_eq!(user.email_verified_at, Some(world.given.shop.now()));
        assert!(PlainTokens.verify(&signed.token.token, world.given.shop.now()).is_some());
        assert_eq!(world.store.own_account(user.id).await.unwrap().unwrap().password_hash, NO_PASSWORD);
        let again = world.enter(Stranger { email: None, ..ada(true) }).await.unwrap();
        assert_eq!((again.profile.user.id, again.profile.user.email), (user.id, user.email), "known by their subject");
        let told: Vec<_> = world.store.traces().into_iter().map(|(_, event)| event).collect();
        assert_eq!(told, ["user.created", "user.identity_linked", "session.created", "session.created"]);
        let logs = serde_json::to_string(&(world.store.events(), world.store.audit_entries())).unwrap();
        assert!(!logs.contains("ada@") && !logs.contains("google.example"), "{logs}");
    }

    #[tokio::test]
    async fn an_account_is_linked_only_where_both_sides_know_the_address() {
        for (here, there, linked) in
            [(true, true, true), (true, false, false), (false, true, false), (false, false, false)]
        {
            let world = World::new(Verification::Off);
            let user = world.person("ada@example.com", here).await;
            let entered = world.enter(ada(there)).await;
            if linked {
                assert_eq!(entered.unwrap().profile.user.id, user.id);
                assert_eq!(world.store.of(user.id).await.unwrap().len(), 1);
            } else {
                assert!(matches!(entered, Err(Error::Conflict(_))), "{here} {there}");
                assert_eq!(world.store.of(user.id).await.unwrap(), []);
            }
        }
    }

    #[tokio::test]
    async fn an_address_that_nobody_vouches_for_is_not_put_into_an_account() {
        let world = World::new(Verification::On);
        // Whether it is known is not told either.
        let user = world.person("ada@example.com", true).await;
        let mut accounts = vec![user.id];
        for (subject, email) in [("1", Some("ada@example.com")), ("2", Some("bob@example.com")), ("3", None)] {
            let entered = world.enter(PlainProviders::somebody(subject, email, false)).await.unwrap().profile.user;
            assert!(!accounts.contains(&entered.id));
            accounts.push(entered.id);
            assert_eq!(entered.email_verified_at, None);
            assert_eq!(entered.email.as_str(), format!("{}@no-address.invalid", entered.id));
            assert!(Email::parse(entered.email.as_str()).is_err(), "nobody signs up with it");
            let (postbox, room) = (Arc::<Postbox>::default(), Postbox::room(Verification::On));
            request_password_reset(&world.given.shop, &room, &entered.email, None).await.unwrap();
            assert_eq!(postbox.deliver_all(&world.given.shop, &room, &world.store).await.unwrap(), []);
        }
    }

    #[tokio::test]
    async fn where_addresses_must_be_proven_the_provider_vouches_for_one() {
        let world = World::new(Verification::Required);
        for stranger in [ada(false), Stranger { email: None, ..ada(true) }] {
            assert!(matches!(world.enter(stranger).await, Err(Error::Forbidden(_))));
        }
        assert!(world.store.traces().is_empty(), "no account was made");
        world.enter(ada(true)).await.unwrap();
    }

    #[tokio::test]
    async fn a_code_is_good_once_for_a_minute_and_for_the_page_that_began() {
        let world = World::new(Verification::Off);
        let no = |entered: Result<SignedIn>| assert!(matches!(entered, Err(Error::Unprocessable(_))), "{entered:?}");
        let code = world.code(Ok(ada(true))).await;
        no(world.redeem(&code, "another page's").await);
        no(world.redeem(&code, VERIFIER).await);
        let code = world.code(Ok(ada(true))).await;
        world.redeem(&code, VERIFIER).await.unwrap();
        no(world.redeem(&code, VERIFIER).await);
        let code = world.code(Ok(ada(true))).await;
        world.given.clock.advance(Duration::from_mins(1));
        no(world.redeem(&code, VERIFIER).await);
        no(world.redeem("", VERIFIER).await);
    }

    #[tokio::test]
    async fn an_answer_counts_once_in_the_browser_and_for_the_provider_it_was_begun_with() {
        let world = World::new(Verification::Off);
        let refused = |back: Result<String>| assert!(matches!(back, Err(Error::Unprocessable(_))), "{back:?}");
        let other = "f".repeat(64);
        for (provider, browser) in [("google", None), ("google", Some(other.as_str())), ("apple", Some("own"))] {
            let went = world.begin(None).await;
            let browser = browser.map(|browser| if browser == "own" { went.browser.as_str() } else { browser });
            refused(world.hear(provider, state(&went), "c", browser).await);
            refused(world.hear("google", state(&went), "c", Some(&went.browser)).await);
        }
        let went = world.begin(None).await;
        refused(world.hear("google", "0000", "c", Some(&went.browser)).await);
        world.given.clock.advance(Duration::from_mins(10));
        refused(world.hear("google", state(&went), "c", Some(&went.browser)).await);
        // Two tabs of one browser.
        let one = world.begin(None).await;
        let two = world.begin(Some(&one.browser)).await;
        assert_eq!(one.browser, two.browser);
        for went in [one, two] {
            world.providers.vouch("c", Ok(ada(true)));
            let back = world.hear("google", state(&went), "c", Some(&went.browser)).await.unwrap();
            assert!(back.contains("&code="), "{back}");
            refused(world.hear("google", state(&went), "c", Some(&went.browser)).await);
        }
        // What no browser of ours keeps is not taken over.
        assert_ne!(world.begin(Some("planted")).await.browser, "planted");
    }

    #[tokio::test]
    async fn what_went_wrong_is_told_in_words_of_our_own() {
        let world = World::new(Verification::Off);
        for (answer, word) in
            [(Err(Declined::Away), "provider_unavailable"), (Err(Declined::Refused), "provider_error")]
        {
            world.providers.vouch("c", answer);
            let went = world.begin(None).await;
            let back = world.hear("google", state(&went), "c", Some(&went.browser)).await.unwrap();
            assert_eq!(back, format!("https://app.example/in?x=1&error={word}"));
        }
        for (said, word) in [("access_denied", "access_denied"), ("<b>", "provider_error")] {
            let went = world.begin(None).await;
            let answered = Answered { state: state(&went), code: Some("c"), error: Some(said), ..Answered::default() };
            let gate = world.providers.gate();
            let back = hear_provider(&world.given.shop, &gate, "google", answered, Some(&went.browser)).await.unwrap();
            assert_eq!(back, format!("https://app.example/in?x=1&error={word}"));
        }
    }

    #[tokio::test]
    async fn who_is_banned_does_not_come_in_this_way_either() {
        let world = World::new(Verification::Off);
        let user = world.enter(ada(true)).await.unwrap().profile.user.id;
        let mut tx = world.given.tx().await;
        let ban = Ban { user, reason: "Spam".to_owned(), until: None, by: Some(user), at: world.given.shop.now() };
        tx.bans().put(&ban).await.unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(world.enter(ada(true)).await, Err(Error::Forbidden(_))));
    }

    #[tokio::test]
    async fn a_person_has_one_identity_of_each_provider() {
        let world = World::new(Verification::Off);
        world.enter(ada(true)).await.unwrap();
        let other = PlainProviders::somebody("2", Some("ada@example.com"), true);
        assert!(matches!(world.enter(other).await, Err(Error::Conflict(_))));
    }
}
