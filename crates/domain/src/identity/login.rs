//! Signing in with a password.

use super::{
    Email, Password, Profile,
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
    /// [`Error::BadCredentials`] for every cause.
    pub async fn with_password(self, shop: &Shop, given: Credentials) -> Result<SignedIn> {
        let account = match Email::parse(&given.email) {
            Ok(email) => self.users.account(&email).await?,
            Err(_) => None,
        };
        let hash = account.as_ref().map(|account| account.password_hash.as_str());
        let verified = self.hasher.verify(&given.password, hash).await?;
        let (Some(account), Verified::Yes | Verified::YesButOld) = (account, verified) else {
            return Err(Error::BadCredentials);
        };
        if verified == Verified::YesButOld {
            self.rehash(shop, &account, &given.password).await?;
        }
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
