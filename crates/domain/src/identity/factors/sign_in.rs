//! Signing in with the second factor.

use super::{
    Factors,
    challenge::{GUESSES, digest},
    events,
};
use crate::{
    error::{Error, Result},
    identity::{Client, Login, Mailroom, Method, Notice, Profile, Proven, SignedIn, login::suspended},
    shop::Shop,
};

/// What a person sends to sign in who has proved one factor.
#[derive(Clone)]
pub struct SecondFactorLogin {
    /// The challenge they got.
    pub challenge: String,
    /// The code of their app, or a recovery code.
    pub code: String,
    /// Where they sign in from.
    pub client: Client,
}

impl std::fmt::Debug for SecondFactorLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondFactorLogin").field("client", &self.client).finish_non_exhaustive()
    }
}

impl Login<'_> {
    /// Signs a person in by their second factor. Whoever holds the challenge has proved the first.
    ///
    /// # Errors
    /// [`Error::NotProven`] for every cause, [`Error::Limited`] after too many tries, [`Error::Forbidden`] for who is banned and has the
    /// code.
    pub async fn with_second_factor(
        self,
        shop: &Shop,
        room: &Mailroom,
        factors: &Factors,
        given: SecondFactorLogin,
    ) -> Result<SignedIn> {
        let (digest, given) = (&digest(&*self.sessions.mac, &given.challenge), &given);
        // The guess is counted before it is looked at, and stays counted when it is wrong.
        let guessed = shop.write("guess_second_factor", |mut tx| async move {
            let now = tx.now();
            let challenge = tx.challenges().guess(digest, GUESSES, now).await?;
            tx.commit(challenge).await
        });
        let challenge = &guessed.await?.ok_or_else(refused)?;
        let user = challenge.user;
        self.throttle.second_factor(user).await?;
        let account = self.users.own_account(user).await?.ok_or_else(refused)?;
        let (ban, email) = (&account.ban, &account.user.email);
        let profile = &Profile { user: account.user.clone(), seller: account.seller };
        let signed = shop.write("sign_in_with_second_factor", |mut tx| async move {
            let now = tx.now();
            let Some(method) = factors.use_code(&mut *tx, user, &given.code, now).await? else {
                return Ok(tx.discard(None));
            };
            // Of several who are right at once, one goes on.
            if !tx.challenges().take(digest, now).await? {
                return Ok(tx.discard(None));
            }
            if let Some(ban) = ban {
                return Err(suspended(ban));
            }
            if method == Method::Recovery {
                shop.record(&mut *tx, Some(user), events::recovery_code_used(user)).await?;
                room.notify(shop, &mut *tx, email, Notice::RecoveryCodeUsed).await?;
            }
            let proven = Proven { methods: challenge.methods.with(method), checked: None };
            match self.sessions.begin(shop, &mut *tx, profile, &given.client, proven).await? {
                Some(signed) => tx.commit(Some(signed)).await,
                None => Ok(tx.discard(None)),
            }
        });
        let signed = signed.await?.ok_or_else(refused)?;
        self.throttle.welcome(shop, user).await?;
        Ok(signed)
    }
}

fn refused() -> Error {
    Error::NotProven("Invalid code, or the sign-in has ended; sign in again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::{BanInput, ban_user},
        error::Violations,
        identity::{Admitted, Methods, ports::SessionQueries as _, throttle, world::World},
        mail::Subject,
        permission::Role,
    };

    fn refused<T: std::fmt::Debug>(result: &Result<T>) {
        assert!(matches!(result, Err(Error::NotProven(_))), "{result:?}");
    }

    #[tokio::test]
    async fn who_has_an_app_signs_in_by_both_factors() {
        let world = World::new();
        let ada = world.person().await;
        assert!(matches!(world.password(&ada).await.unwrap(), Admitted::In(_)), "one factor until there is another");
        let (secret, _) = world.app(&ada).await;
        let challenge = world.challenge(&ada).await;
        let signed = world.second(&challenge, &world.code(&secret), 1).await.unwrap();
        let session = world.store.find(signed.session).await.unwrap().unwrap();
        assert_eq!(session.methods, Methods::of(Method::Password).with(Method::Totp));
        assert_eq!(session.authenticated_at, world.given.shop.now());
        assert_eq!(world.told(), ["user.factor_added"]);
        assert_eq!(world.letters().await, [Subject::FactorAdded]);
        let logs = serde_json::to_string(&(world.store.events(), world.store.audit_entries())).unwrap();
        assert!(!logs.contains(&challenge.text));
    }

    #[tokio::test]
    async fn neither_a_code_nor_a_challenge_is_good_twice() {
        let world = World::new();
        let ada = world.person().await;
        let (secret, _) = world.app(&ada).await;
        let (one, two) = (world.challenge(&ada).await, world.challenge(&ada).await);
        let code = world.code(&secret);
        world.second(&one, &code, 1).await.unwrap();
        refused(&world.second(&two, &code, 1).await);
        world.later(30);
        refused(&world.second(&one, &world.code(&secret), 1).await);
        world.second(&two, &world.code(&secret), 1).await.unwrap();
    }

    #[tokio::test]
    async fn a_challenge_is_guessed_at_five_times_and_is_one_persons() {
        let world = World::new();
        let (ada, bob) = (world.person().await, world.person().await);
        let ((hers, _), (his, _)) = (world.app(&ada).await, world.app(&bob).await);
        world.later(60);
        let challenge = world.challenge(&ada).await;
        for _ in 0..5 {
            refused(&world.second(&challenge, &world.code(&his), 1).await);
        }
        refused(&world.second(&challenge, &world.code(&hers), 1).await);
        let ended = world.challenge(&ada).await;
        world.later(300);
        refused(&world.second(&ended, &world.code(&hers), 1).await);
        world.second(&world.challenge(&ada).await, &world.code(&hers), 1).await.unwrap();
    }

    #[tokio::test]
    async fn guesses_are_few_whatever_challenge_they_are_sent_with() {
        let world = World::limited(&[(throttle::SECOND_TRIES, 3), (throttle::SECOND_STRANGERS, 5)]);
        let ada = world.person().await;
        let known = world.password(&ada).await.unwrap();
        assert!(matches!(known, Admitted::In(_)));
        let (secret, _) = world.app(&ada).await;
        for n in 0..5 {
            refused(&world.second(&world.challenge(&ada).await, "000000", 20 + n).await);
        }
        let right = world.code(&secret);
        let strange = world.second(&world.challenge(&ada).await, &right, 30).await;
        assert!(matches!(strange, Err(Error::Limited(_))), "{strange:?}");
        // Where she signed in from before she is not kept out; a guesser's place never becomes one.
        world.second(&world.challenge(&ada).await, &right, 1).await.unwrap();
    }

    #[tokio::test]
    async fn a_recovery_code_stands_in_once_and_the_owner_is_told() {
        let world = World::new();
        let ada = world.person().await;
        let (_, codes) = world.app(&ada).await;
        world.letters().await;
        let spoken = codes.0[0].to_uppercase().replace('-', " ");
        world.second(&world.challenge(&ada).await, &spoken, 1).await.unwrap();
        refused(&world.second(&world.challenge(&ada).await, &codes.0[0], 1).await);
        world.second(&world.challenge(&ada).await, &codes.0[1], 1).await.unwrap();
        assert_eq!(world.letters().await, [Subject::RecoveryCodeUsed; 2]);
        assert_eq!(world.told()[1..], ["user.recovery_code_used", "user.recovery_code_used"]);
        let logs = serde_json::to_string(&(world.store.events(), world.store.audit_entries())).unwrap();
        assert!(codes.0.iter().all(|code| !logs.contains(code.as_str())));
    }

    #[tokio::test]
    async fn a_new_password_and_a_ban_end_a_sign_in_that_waits() {
        let world = World::new();
        let (ada, admin) = (world.person().await, world.given.person(Role::Admin).await);
        let (secret, _) = world.app(&ada).await;
        let before = world.challenge(&ada).await;
        let mut tx = world.given.tx().await;
        let user = tx.users().find(ada.user).await.unwrap().unwrap();
        let shop = &world.given.shop;
        crate::identity::change_password::replace_password(
            shop,
            &world.room,
            &mut *tx,
            &user,
            "plain$correct horse",
            None,
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        refused(&world.second(&before, &world.code(&secret), 1).await);
        let waiting = world.challenge(&ada).await;
        let ban = BanInput { reason: Some("Spam".to_owned()), ..BanInput::default() };
        let ban = ban.check(shop.now(), &mut Violations::default()).unwrap();
        ban_user(shop, world.given.authorized(&admin), ada.user, ban).await.unwrap();
        refused(&world.second(&waiting, "000000", 1).await);
        let told = world.second(&waiting, &world.code(&secret), 1).await;
        assert!(matches!(told, Err(Error::Forbidden(_))), "only who has the code is told: {told:?}");
    }
}
