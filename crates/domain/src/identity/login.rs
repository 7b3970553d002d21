//! Signing in with a password.

use super::{
    Challenge, Client, Email, NO_PASSWORD, Password, Profile, Proven, Sessions, SignedIn, Throttle, Verification,
    factors::challenge,
    ports::{Account, PasswordHasher, UserQueries, Verified},
};
use crate::{
    access::Ban,
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
    /// Where they sign in from.
    pub client: Client,
}

/// What sign-in stands on.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// Finds the account.
    pub users: &'a dyn UserQueries,
    /// Checks the password.
    pub hasher: &'a dyn PasswordHasher,
    /// Begins the session.
    pub sessions: &'a Sessions,
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

/// What became of somebody who has proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// They are in.
    In(Box<SignedIn>),
    /// They have a second factor, and are to prove that too.
    Challenged(Challenge),
}

impl Admitted {
    /// Their session, when they are in.
    pub fn signed_in(self) -> Option<SignedIn> {
        match self {
            Self::In(signed) => Some(*signed),
            Self::Challenged(_) => None,
        }
    }
}

impl Login<'_> {
    /// Signs a person in. An unknown address costs the same time as a wrong password and gives the same answer: the password is checked
    /// against the hash of somebody else, always the same for an address, so that hashes of an older kind or another cost, which
    /// take their own time, are met among unknown addresses as often as among known ones.
    ///
    /// # Errors
    /// [`Error::BadCredentials`] for every cause; [`Error::Limited`] after too many tries; [`Error::Forbidden`] for who knows the
    /// password and is banned, or must prove their address first: to everybody else such an account is like any other.
    pub async fn with_password(self, shop: &Shop, given: Credentials) -> Result<Admitted> {
        let account = match Email::parse(&given.email) {
            Ok(email) => self.users.account(&email).await?,
            Err(_) => None,
        };
        let user = account.as_ref().map(|account| account.user.id);
        self.throttle.admit(&given.email, user).await?;
        // Asked for the known ones too, who would be answered sooner otherwise.
        let stand_in = self.users.hash_from(&self.place_of(&given.email)).await?;
        let hash = account.as_ref().map(|account| account.password_hash.as_str()).filter(|hash| *hash != NO_PASSWORD);
        let hash_checked = hash.or(stand_in.as_deref());
        let verified = self.hasher.verify(&given.password, hash_checked).await?;
        let verified = if hash.is_some() { verified } else { Verified::No };
        let (Some(account), Verified::Yes | Verified::YesButOld) = (account, verified) else {
            return Err(Error::BadCredentials);
        };
        if let Some(ban) = &account.ban {
            return Err(suspended(ban));
        }
        let checked = match verified {
            Verified::YesButOld => self.rehash(shop, &account, &given.password).await?,
            _ => account.password_hash.clone(),
        };
        self.must_be_verified(&account)?;
        let admitted = self.open(shop, account, &given.client, Proven::by_password(&checked)).await?;
        // The password was changed while this one was checked.
        admitted.ok_or(Error::BadCredentials)
    }

    /// Where among the addresses of others somebody looks for a hash to stand in: nobody else can tell.
    fn place_of(self, email: &str) -> String {
        let mac = self.sessions.mac.mac(format!("stand-in/{}", email.trim().to_lowercase()).as_bytes());
        // Letters and digits, as addresses begin.
        mac.iter().take(16).filter_map(|byte| char::from_digit(u32::from(*byte) % 36, 36)).collect()
    }

    /// # Errors
    /// [`Error::Forbidden`] for who must prove their address first.
    pub(super) fn must_be_verified(self, account: &Account) -> Result<()> {
        if self.verification == Verification::Required && account.user.email_verified_at.is_none() {
            return Err(Error::forbidden(
                "Prove first that your email is yours: follow the link sent to it, or ask for another",
            ));
        }
        Ok(())
    }

    /// Lets somebody in who has proven who they are: every way to sign in ends here. Who has a second factor and has not proved that
    /// gets a challenge instead. `None` when they are gone, or their password is another by now than the one that was checked.
    pub(super) async fn open(
        self,
        shop: &Shop,
        account: Account,
        client: &Client,
        proven: Proven<'_>,
    ) -> Result<Option<Admitted>> {
        if let Some(ban) = &account.ban {
            return Err(suspended(ban));
        }
        let user = account.user.id;
        let profile = &Profile { user: account.user, seller: account.seller };
        let admitted = shop.write("sign_in", |mut tx| async move {
            let app = if proven.methods.are_two_factors() { None } else { tx.factors().totp(user).await? };
            let admitted = if app.is_some_and(|app| app.confirmed_at.is_some()) {
                let challenge = challenge(shop, &*self.sessions.mac, &mut *tx, user, proven).await?;
                challenge.map(Admitted::Challenged)
            } else {
                let signed = self.sessions.begin(shop, &mut *tx, profile, client, proven).await?;
                signed.map(|signed| Admitted::In(Box::new(signed)))
            };
            match admitted {
                Some(admitted) => tx.commit(Some(admitted)).await,
                None => Ok(tx.discard(None)),
            }
        });
        let admitted = admitted.await?;
        // A place is the owner's when all that was asked for was proved there.
        if matches!(admitted, Some(Admitted::In(_))) {
            self.throttle.welcome(shop, user).await?;
        }
        Ok(admitted)
    }

    async fn rehash(self, shop: &Shop, account: &Account, password: &Password) -> Result<String> {
        let hash = &self.hasher.hash(password).await?;
        let user = account.user.id;
        let stored = shop.write("rehash_password", |mut tx| async move {
            let now = tx.now();
            tx.users().set_password_hash(user, hash, now).await?;
            tx.commit(()).await
        });
        stored.await?;
        Ok(hash.clone())
    }
}

/// What somebody who is banned is told, once they have proved who they are.
pub(super) fn suspended(ban: &Ban) -> Error {
    let until = ban.until.map_or_else(String::new, |until| format!(" until {}", until.format("%Y-%m-%dT%H:%M:%SZ")));
    Error::forbidden(format!("This account is suspended{until}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        identity::{SessionRules, ports::Tokens},
        permission::Role,
        testing::{Fixtures, PlainHasher, PlainMac, PlainTokens, Turnstile, memory::MemoryStore},
    };

    fn desk() -> Sessions {
        Sessions { tokens: Arc::new(PlainTokens), mac: Arc::new(PlainMac), rules: SessionRules::default() }
    }

    async fn sign_in(
        given: &Fixtures,
        store: &MemoryStore,
        hasher: &PlainHasher,
        email: &str,
        password: &str,
    ) -> Result<SignedIn> {
        let sessions = desk();
        let turnstile = Turnstile::default();
        let login = Login {
            users: store,
            hasher,
            sessions: &sessions,
            throttle: turnstile.throttle(store, [127, 0, 0, 1]),
            verification: Verification::Off,
        };
        let password = Password::given(password.to_owned());
        let given_now = Credentials { email: email.to_owned(), password, client: Client::default() };
        login.with_password(&given.shop, given_now).await.map(|admitted| admitted.signed_in().unwrap())
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
        assert_eq!(session.id, signed.session);
        assert_eq!(store.traces(), [("session.create".to_owned(), "session.created".to_owned())]);
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
    async fn a_hash_that_stands_in_lets_nobody_in() {
        let (given, store) = Fixtures::in_memory();
        let hasher = PlainHasher::default();
        stored(&given, "plain$correct horse").await;
        let outside = given.user(Role::User);
        let mut tx = given.tx().await;
        assert!(tx.users().insert(&outside, NO_PASSWORD).await.unwrap());
        tx.commit().await.unwrap();
        for email in ["nobody@example.com", "somebody@example.com", "no address", outside.email.as_str()] {
            let refused = sign_in(&given, &store, &hasher, email, "correct horse").await.unwrap_err();
            assert!(matches!(refused, Error::BadCredentials), "{refused:?}");
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
        let sessions = desk();
        let login = Login {
            users: &store,
            hasher: &hasher,
            sessions: &sessions,
            throttle: turnstile.throttle(&store, [127, 0, 0, 1]),
            verification: Verification::Required,
        };
        let try_with = async |password: &str| {
            let password = Password::given(password.to_owned());
            let given_now = Credentials { email: email.clone(), password, client: Client::default() };
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
