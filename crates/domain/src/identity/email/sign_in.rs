//! Signing in with a code sent by mail.

use super::{Errand, Mailroom, Purpose, code::same};
use crate::{
    error::{Error, Result},
    id::UserId,
    identity::{Admitted, Client, Email, Login, Method, Proven, events},
    shop::Shop,
};

/// How often the code of one letter may be guessed at.
const GUESSES: u32 = 5;

/// Asks for a letter with a code of eight digits. Open to everybody, and always answered alike.
///
/// # Errors
/// Those of the store; [`Error::Unavailable`] when no mail can be sent.
pub async fn request_sign_in_code(shop: &Shop, room: &Mailroom, email: &Email) -> Result<()> {
    room.send_alone(shop, "request_sign_in_code", &Errand::SignIn { email: email.clone() }).await
}

/// What a person sends to sign in with a code.
#[derive(Debug, Clone)]
pub struct CodeLogin {
    /// Their address, as typed.
    pub email: String,
    /// The eight digits.
    pub code: String,
    /// Where they sign in from.
    pub client: Client,
}

impl Login<'_> {
    /// Signs a person in with a code. Who got the letter has the address, so it is proven with that.
    ///
    /// # Errors
    /// [`Error::BadCode`] for every cause, [`Error::Limited`] after too many tries, [`Error::Forbidden`] for who is banned and
    /// has the code.
    pub async fn with_code(self, shop: &Shop, room: &Mailroom, given: CodeLogin) -> Result<Admitted> {
        let account = match Email::parse(&given.email) {
            Ok(email) => self.users.account(&email).await?,
            Err(_) => None,
        };
        let user = account.as_ref().map(|account| account.user.id);
        self.throttle.admit(&given.email, user).await?;
        // For nobody the same is asked of the store, of a person who is not there.
        let whose = user.unwrap_or(UserId(uuid::Uuid::nil()));
        let proven = use_sign_in_code(shop, room, whose, &given.code).await?;
        let (Some(account), true) = (account, proven) else { return Err(Error::BadCode) };
        self.open(shop, account, &given.client, Proven::by(Method::EmailCode)).await?.ok_or(Error::BadCode)
    }
}

/// Uses the code of a letter up, and gives whether it was the person's. Who got the letter has the address.
pub(in crate::identity) async fn use_sign_in_code(
    shop: &Shop,
    room: &Mailroom,
    whose: UserId,
    code: &str,
) -> Result<bool> {
    let digest = &room.digest(Purpose::SignIn, Some(whose), code);
    shop.write("sign_in_with_code", |mut tx| async move {
        let now = tx.now();
        // The guess is counted before it is looked at, and stays counted when it is wrong.
        let kept = tx.codes().guess(whose, Purpose::SignIn, GUESSES, now).await?;
        let Some(kept) = kept.filter(|kept| same(&kept.digest, digest)) else { return tx.commit(false).await };
        if tx.codes().take(Purpose::SignIn, digest, now).await?.is_none() {
            return tx.commit(false).await;
        }
        let user = tx.users().find(whose).await?.filter(|user| user.email == kept.email);
        let Some(user) = user else { return tx.commit(false).await };
        if user.email_verified_at.is_none() {
            tx.users().set_email(user.id, &user.email, Some(now), now).await?;
            shop.record(&mut *tx, Some(user.id), events::email_verified(user.id)).await?;
        }
        tx.commit(true).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        identity::{
            SessionRules, Sessions, SignedIn, Verification,
            ports::{Tokens as _, UserQueries},
        },
        mail::Subject,
        permission::Role,
        testing::{Fixtures, PlainHasher, PlainMac, PlainTokens, Postbox, Turnstile, memory::MemoryStore},
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
            Self { given, store, postbox: Arc::default(), room: Postbox::room(Verification::Required) }
        }

        async fn person(&self) -> Email {
            let user = self.given.person(Role::User).await.user;
            self.store.profile(user).await.unwrap().unwrap().user.email
        }

        async fn code(&self, email: &Email) -> String {
            request_sign_in_code(&self.given.shop, &self.room, email).await.unwrap();
            let mail = self.postbox.deliver_all(&self.given.shop, &self.room, &self.store).await.unwrap().remove(0);
            assert_eq!(mail.about, Subject::SignInCode);
            mail.text
        }

        async fn try_code(&self, email: &str, code: &str) -> Result<SignedIn> {
            let (hasher, turnstile) = (PlainHasher::default(), Turnstile::default());
            let sessions =
                Sessions { tokens: Arc::new(PlainTokens), mac: Arc::new(PlainMac), rules: SessionRules::default() };
            let login = Login {
                users: &self.store,
                hasher: &hasher,
                sessions: &sessions,
                throttle: turnstile.throttle(&self.store, [127, 0, 0, 1]),
                verification: self.room.verification,
            };
            let given = CodeLogin { email: email.to_owned(), code: code.to_owned(), client: Client::default() };
            let admitted = login.with_code(&self.given.shop, &self.room, given).await?;
            Ok(admitted.signed_in().unwrap())
        }
    }

    fn other(code: &str) -> String {
        format!("{:08}", (code.parse::<u32>().unwrap() + 1) % 100_000_000)
    }

    #[tokio::test]
    async fn eight_digits_sign_in_once_and_prove_the_address() {
        let world = World::new();
        let email = world.person().await;
        let code = world.code(&email).await;
        assert!(code.len() == 8 && code.bytes().all(|b| b.is_ascii_digit()), "{code}");
        let signed = world.try_code(&email.as_str().to_uppercase(), &code).await.unwrap();
        assert!(PlainTokens.verify(&signed.token.token, world.given.shop.now()).is_some());
        assert!(world.store.account(&email).await.unwrap().unwrap().user.email_verified_at.is_some());
        assert!(matches!(world.try_code(email.as_str(), &code).await, Err(Error::BadCode)), "a second time");
    }

    #[tokio::test]
    async fn it_is_guessed_at_five_times_and_no_more() {
        let world = World::new();
        let email = world.person().await;
        let code = world.code(&email).await;
        for _ in 0..4 {
            assert!(matches!(world.try_code(email.as_str(), &other(&code)).await, Err(Error::BadCode)));
        }
        let again = world.code(&email).await;
        assert!(matches!(world.try_code(email.as_str(), &code).await, Err(Error::BadCode)), "the older code");
        for _ in 0..3 {
            assert!(matches!(world.try_code(email.as_str(), &other(&again)).await, Err(Error::BadCode)));
        }
        world.try_code(email.as_str(), &again).await.unwrap();
        let last = world.code(&email).await;
        for _ in 0..5 {
            assert!(matches!(world.try_code(email.as_str(), &other(&last)).await, Err(Error::BadCode)));
        }
        assert!(matches!(world.try_code(email.as_str(), &last).await, Err(Error::BadCode)), "right, but too late");
    }

    #[tokio::test]
    async fn it_is_one_persons_and_ends_in_time() {
        let world = World::new();
        let (email, other) = (world.person().await, world.person().await);
        let code = world.code(&email).await;
        for wrong in [other.as_str(), "nobody@example.com", "no address"] {
            assert!(matches!(world.try_code(wrong, &code).await, Err(Error::BadCode)), "{wrong}");
        }
        world.given.clock.advance(Purpose::SignIn.life());
        assert!(matches!(world.try_code(email.as_str(), &code).await, Err(Error::BadCode)));
    }
}
