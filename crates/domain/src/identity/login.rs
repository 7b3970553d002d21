//! Signing in with a password.

use super::{
    Email, Password, Profile, Throttle, Verification,
    ports::{AccessToken, Account, PasswordHasher, Tokens, UserQueries, Verified},
};
use crate::{
    error::{Error, Result},
    shop::Shop,
};

/// What a person sends to sign in.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Their address, as typed.
    pub email: String,
    /// Their password.
    pub password: Password,
}

/// A person signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub profile: Profile,
    /// The token they use from now on.
    pub token: AccessToken,
}

/// What sign-in stands on.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// Finds the account.
    pub users: &'a dyn UserQueries,
    /// Checks the password.
    pub hasher: &'a dyn PasswordHasher,
    /// Makes the token.
    pub tokens: &'a dyn Tokens,
    /// Bounds tries.
    pub throttle: Throttle<'a>,
    /// Whether the address must be proven.
    pub verification: Verification,
}

impl std::fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

impl Login<'_> {
    /// Signs a person in. An unknown address costs the same time as a wrong password and gives the same answer.
    ///
    /// # Errors
    /// [`Error::BadCredentials`] for every cause; [`Error::Limited`] after too many tries; [`Error::Forbidden`] when the
    /// address must be proven first.
    pub async fn with_password(self, shop: &Shop, given: Credentials) -> Result<SignedIn> {
        let account = match Email::parse(&given.email) {
            Ok(email) => self.users.account(&email).await?,
            Err(_) => None,
        };
        let user = account.as_ref().map(|account| account.user.id);
        self.throttle.admit(&given.email, user).await?;
        let hash = account.as_ref().map(|account| account.password_hash.as_str());
        let verified = self.hasher.verify(&given.password, hash).await?;
        let (Some(account), Verified::Yes | Verified::YesButOld) = (account, verified) else {
            return Err(Error::BadCredentials);
        };
        if verified == Verified::YesButOld {
            self.rehash(shop, &account, &given.password).await?;
        }
        if self.verification == Verification::Required && account.user.email_verified_at.is_none() {
            return Err(Error::forbidden(
                "Prove first that your email is yours: follow the link sent to it, or ask for another",
            ));
        }
        self.open(shop, account).await
    }

    /// Lets somebody in who has proven who they are, whichever way.
    pub(super) async fn open(self, shop: &Shop, account: Account) -> Result<SignedIn> {
        self.throttle.welcome(shop, account.user.id).await?;
        let profile = Profile { user: account.user, seller: account.seller };
        let token = self.tokens.issue(&profile, shop.now())?;
        Ok(SignedIn { profile, token })
    }

    async fn rehash(self, shop: &Shop, account: &Account, password: &Password) -> Result<()> {
        let hash = &self.hasher.hash(password).await?;
        let user = account.user.id;
        shop.write("rehash_password", |mut tx| async move {
            let now = tx.now();
            tx.users().set_password_hash(user, hash, now).await?;
            tx.commit(()).await
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        permission::Role,
        testing::{Fixtures, PlainHasher, PlainTokens, Turnstile, memory::MemoryStore},
    };

    async fn sign_in(
        given: &Fixtures,
        store: &MemoryStore,
        hasher: &PlainHasher,
        email: &str,
        password: &str,
    ) -> Result<SignedIn> {
        let turnstile = Turnstile::default();
        let login = Login {
            users: store,
            hasher,
            tokens: &PlainTokens,
            throttle: turnstile.throttle(store, [127, 0, 0, 1]),
            verification: Verification::Off,
        };
        let given_now = Credentials { email: email.to_owned(), password: Password::given(password.to_owned()) };
        login.with_password(&given.shop, given_now).await
    }

    async fn stored(given: &Fixtures, hash: &str) -> String {
        let user = given.user(Role::User);
        let mut tx = given.tx().await;
        assert!(tx.users().insert(&user, hash).await.unwrap());
        tx.commit().await.unwrap();
        user.email.as_str().to_owned()
    }

    #[tokio::test]
    async fn the_right_password_gives_a_token() {
        let (given, store) = Fixtures::in_memory();
        let hasher = PlainHasher::default();
        let email = stored(&given, "plain$correct horse").await;
        let shouted = format!(" {} ", email.to_uppercase());
        let signed = sign_in(&given, &store, &hasher, &shouted, "correct horse").await.unwrap();
        let session = PlainTokens.verify(&signed.token.token, given.shop.now()).unwrap();
        assert_eq!((session.user, session.until), (signed.profile.user.id, signed.token.expires_at));
        assert_eq!(PlainTokens.verify(&signed.token.token, signed.token.expires_at), None);
        assert_eq!(hasher.hashed(), 0, "a hash of today's kind stays");
    }

    #[tokio::test]
    async fn every_failure_costs_one_check_and_reads_the_same() {
        let (given, store) = Fixtures::in_memory();
        let hasher = PlainHasher::default();
        let email = stored(&given, "plain$correct horse").await;
        let tries = [email.as_str(), "nobody@example.com", "no address at all", "a\0@example.com"];
        for (n, email) in (1..).zip(tries) {
            let refused = sign_in(&given, &store, &hasher, email, "wrong").await.unwrap_err();
            assert!(matches!(refused, Error::BadCredentials), "{refused:?}");
            assert_eq!((hasher.verified(), hasher.hashed()), (n, 0), "{email}");
        }
    }

    #[tokio::test]
    async fn an_old_hash_is_made_anew() {
        let (given, store) = Fixtures::in_memory();
        let hasher = PlainHasher::default();
        let email = stored(&given, "old$correct horse").await;
        for _ in 0..2 {
            sign_in(&given, &store, &hasher, &email, "correct horse").await.unwrap();
        }
        let account = store.account(&Email::stored(email)).await.unwrap().unwrap();
        assert_eq!((account.password_hash.as_str(), hasher.hashed()), ("plain$correct horse", 1));
    }

    #[tokio::test]
    async fn where_addresses_must_be_proven_nobody_signs_in_before() {
        let (given, store) = Fixtures::in_memory();
        let (hasher, turnstile) = (PlainHasher::default(), Turnstile::default());
        let email = stored(&given, "plain$correct horse").await;
        let login = Login {
            users: &store,
            hasher: &hasher,
            tokens: &PlainTokens,
            throttle: turnstile.throttle(&store, [127, 0, 0, 1]),
            verification: Verification::Required,
        };
        let try_with = async |password: &str| {
            let given_now = Credentials { email: email.clone(), password: Password::given(password.to_owned()) };
            login.with_password(&given.shop, given_now).await
        };
        assert!(matches!(try_with("wrong").await, Err(Error::BadCredentials)), "only who knows the password is told");
        assert!(matches!(try_with("correct horse").await, Err(Error::Forbidden(_))));
        let now = given.shop.now();
        let email = Email::stored(email.clone());
        let mut tx = given.tx().await;
        let user = tx.users().by_email(&email).await.unwrap().unwrap();
        tx.users().set_email(user, &email, Some(now), now).await.unwrap();
        tx.commit().await.unwrap();
        try_with("correct horse").await.unwrap();
    }
}
