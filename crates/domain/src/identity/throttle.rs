//! How often one may try to sign in to an account, and have letters sent to an address.
//!
//! Two counts stand side by side. The quick one is of an account and an address of the network together: whoever guesses
//! from one place is stopped there, and the owner elsewhere does not notice. Guesses from many places at once meet the second,
//! of the account alone; it is passed by places the owner signed in from before, so that nobody can lock them out by
//! guessing. Accounts that do not exist are counted like those that do.

use std::{net::IpAddr, time::Duration};

use super::{Email, ports::Places};
use crate::{
    error::{Error, Result},
    id::UserId,
    limit::{Policy, RateLimiter, Subject},
    secrets::Mac,
    shop::Shop,
};

/// The policy of tries at one account from one place.
pub const TRIES: &str = "account_tries";
/// The policy of tries at one account from places it is not known at.
pub const STRANGERS: &str = "account_strangers";
/// The policy of tries at the second factor of one account from one place.
pub const SECOND_TRIES: &str = "second_factor_tries";
/// The policy of tries at the second factor of one account from places it is not known at.
pub const SECOND_STRANGERS: &str = "second_factor_strangers";
/// The policy of letters to one address.
pub const LETTERS: &str = "account_letters";

/// After how long a place is noted anew.
const NOTE_AFTER: Duration = Duration::from_hours(24);

/// What bounds tries.
#[derive(Clone, Copy)]
pub struct Throttle<'a> {
    /// Counts.
    pub limiter: &'a dyn RateLimiter,
    /// The policies, by the names above; one that is absent does not count.
    pub policies: &'a [Policy],
    /// Where owners signed in from.
    pub places: &'a dyn Places,
    /// Hides what is counted.
    pub mac: &'a dyn Mac,
    /// Where the call comes from, as it is counted.
    pub from: IpAddr,
}

impl std::fmt::Debug for Throttle<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttle").field("policies", &self.policies).finish_non_exhaustive()
    }
}

impl Throttle<'_> {
    /// Counts a try at the account of this address, which is `user`'s if it is anybody's.
    ///
    /// # Errors
    /// [`Error::Limited`] when there were too many.
    pub async fn admit(&self, email: &str, user: Option<UserId>) -> Result<()> {
        let key = self.key("account", &email.trim().to_lowercase());
        self.count(TRIES, Subject::AccountFrom(key, self.from)).await?;
        // Asked for nobody too, so that it takes the same time.
        let whose = user.unwrap_or(UserId(uuid::Uuid::nil()));
        if self.places.seen(whose, &self.place(whose)).await?.is_none() {
            self.count(STRANGERS, Subject::Account(key)).await?;
        }
        Ok(())
    }

    /// Counts a try at the second factor of a person, as [`Throttle::admit`] counts those at the first. Whoever tries has proved the
    /// first, and six digits are few: the limits are lower.
    ///
    /// # Errors
    /// [`Error::Limited`] when there were too many.
    pub async fn second_factor(&self, user: UserId) -> Result<()> {
        let key = self.key("second_factor", &user.to_string());
        self.count(SECOND_TRIES, Subject::AccountFrom(key, self.from)).await?;
        if self.places.seen(user, &self.place(user)).await?.is_none() {
            self.count(SECOND_STRANGERS, Subject::Account(key)).await?;
        }
        Ok(())
    }

    /// Counts a letter to this address, whether it is somebody's or not.
    ///
    /// # Errors
    /// [`Error::Limited`] when there were too many.
    pub async fn letter(&self, email: &Email) -> Result<()> {
        self.count(LETTERS, Subject::Account(self.key("account", email.as_str()))).await
    }

    /// Notes that somebody signed in from here.
    pub(super) async fn welcome(&self, shop: &Shop, user: UserId) -> Result<()> {
        let (place, now) = (self.place(user), shop.now());
        match self.places.seen(user, &place).await? {
            Some(then) if now < then + NOTE_AFTER => Ok(()),
            _ => self.places.note(user, &place, now).await,
        }
    }

    async fn count(&self, name: &str, subject: Subject) -> Result<()> {
        let Some(policy) = self.policies.iter().find(|policy| &*policy.name == name) else { return Ok(()) };
        match self.limiter.check(&[(policy, subject)]).await.first() {
            Some(decision) if !decision.allowed => Err(Error::Limited(decision.retry_after)),
            _ => Ok(()),
        }
    }

    fn place(&self, user: UserId) -> [u8; 32] {
        self.mac.mac(format!("place\0{user}\0{}", self.from).as_bytes())
    }

    fn key(&self, what: &str, text: &str) -> [u8; 16] {
        let mac = self.mac.mac(format!("{what}\0{text}").as_bytes());
        mac.first_chunk().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        permission::Role,
        testing::{Fixtures, Turnstile},
    };

    const LIMITS: [(&str, u32); 3] = [(TRIES, 3), (STRANGERS, 5), (LETTERS, 2)];

    #[tokio::test]
    async fn who_guesses_from_one_place_is_stopped_there_and_nobody_elsewhere() {
        let (given, store) = Fixtures::in_memory();
        let (user, turnstile) = (given.person(Role::User).await.user, Turnstile::with(&LIMITS));
        let from = |last| turnstile.throttle(&store, [203, 0, 113, last]);
        for _ in 0..3 {
            from(1).admit("ada@example.com", Some(user)).await.unwrap();
        }
        assert!(matches!(from(1).admit(" ADA@example.com", Some(user)).await, Err(Error::Limited(_))));
        from(1).admit("bob@example.com", None).await.unwrap();
        from(2).admit("ada@example.com", Some(user)).await.unwrap();
    }

    #[tokio::test]
    async fn guesses_from_everywhere_do_not_lock_the_owner_out() {
        let (given, store) = Fixtures::in_memory();
        let (user, turnstile) = (given.person(Role::User).await.user, Turnstile::with(&LIMITS));
        let from = |last| turnstile.throttle(&store, [203, 0, 113, last]);
        from(1).welcome(&given.shop, user).await.unwrap();
        for guesser in 2..7 {
            from(guesser).admit("ada@example.com", Some(user)).await.unwrap();
        }
        assert!(matches!(from(8).admit("ada@example.com", Some(user)).await, Err(Error::Limited(_))));
        from(1).admit("ada@example.com", Some(user)).await.unwrap();
        // Accounts that there are not are counted alike.
        for guesser in 2..7 {
            from(guesser).admit("nobody@example.com", None).await.unwrap();
        }
        assert!(matches!(from(8).admit("nobody@example.com", None).await, Err(Error::Limited(_))));
    }

    #[tokio::test]
    async fn letters_to_one_address_are_few() {
        let (_, store) = Fixtures::in_memory();
        let turnstile = Turnstile::with(&LIMITS);
        let email = |text| Email::parse(text).unwrap();
        for last in 1..3 {
            turnstile.throttle(&store, [203, 0, 113, last]).letter(&email("ada@example.com")).await.unwrap();
        }
        let third = turnstile.throttle(&store, [203, 0, 113, 3]).letter(&email("Ada@example.com")).await;
        assert!(matches!(third, Err(Error::Limited(_))));
        turnstile.throttle(&store, [203, 0, 113, 3]).letter(&email("bob@example.com")).await.unwrap();
    }
}
