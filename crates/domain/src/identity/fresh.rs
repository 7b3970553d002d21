//! Sensitive acts ask for somebody who proved who they are a short while ago: a token alone, found or left open, does not take
//! an account over.

use std::time::Duration;

use super::{
    Method,
    factors::ports::FactorQueries,
    ports::{Session, SessionQueries},
};
use crate::{
    actor::Principal,
    clock::Timestamp,
    error::{Error, Result},
    id::SessionId,
    permission::Authorized,
};

/// How long a proof counts as fresh where nothing else is set.
pub const FRESH: Duration = Duration::from_mins(10);

/// The proof that a caller has permission `P`, and proved who they are a short while ago. [`Freshness::check`] is its only
/// maker.
#[derive(Debug, Clone)]
pub struct Fresh<P> {
    by: Authorized<P>,
    session: SessionId,
}

impl<P> Fresh<P> {
    /// Who was checked.
    pub fn principal(&self) -> &Principal {
        self.by.principal()
    }

    /// The proof of the permission.
    pub fn authorized(&self) -> &Authorized<P> {
        &self.by
    }

    /// The session they call with.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// For tests of what comes after the check.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn assumed(by: Authorized<P>, session: SessionId) -> Self {
        Self { by, session }
    }
}

/// Who looks whether a proof is fresh. It reads the session: only sensitive acts pay for it.
#[derive(Clone, Copy)]
pub struct Freshness<'a> {
    /// Reads when the person of a session last proved who they are.
    pub sessions: &'a dyn SessionQueries,
    /// Reads by which ways they can.
    pub factors: &'a dyn FactorQueries,
    /// For how long it counts.
    pub within: Duration,
    /// Whether codes can be sent by mail.
    pub mail: bool,
}

impl std::fmt::Debug for Freshness<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Freshness").field("within", &self.within).finish_non_exhaustive()
    }
}

impl Freshness<'_> {
    /// Checks that the person of this session proved who they are a short while ago.
    ///
    /// # Errors
    /// [`Error::NotFresh`] with the ways to do so anew, for whoever did not; [`Error::Unauthenticated`] when the session is over, or
    /// somebody else's; [`Error::Forbidden`] for who acts in the place of the person.
    pub async fn check<P>(&self, by: Authorized<P>, session: Session, now: Timestamp) -> Result<Fresh<P>> {
        by.in_person()?;
        let stored = self.sessions.find(session.id).await?;
        let own = stored.filter(|stored| stored.user == by.principal().user && stored.ended.is_none());
        let stored = own.ok_or(Error::Unauthenticated)?;
        // A clock that was set back makes nothing fresh for longer.
        let age = now.signed_duration_since(stored.authenticated_at).abs().to_std().unwrap_or(Duration::MAX);
        if age < self.within {
            return Ok(Fresh { by, session: session.id });
        }
        let ways = self.factors.ways(stored.user).await?.unwrap_or_default();
        let can =
            [(Method::Password, ways.password), (Method::EmailCode, self.mail), (Method::Passkey, ways.passkeys > 0)];
        Err(Error::NotFresh(can.into_iter().filter(|(_, can)| *can).map(|(method, _)| method.name()).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        permission::{ChangeAccount, Role},
        testing::Fixtures,
    };

    #[tokio::test]
    async fn a_proof_is_fresh_for_a_while_and_only_in_its_own_session() {
        let (given, store) = Fixtures::in_memory();
        let (ada, bob) = (given.person(Role::User).await, given.person(Role::User).await);
        let (hers, his) = (given.stored_session(ada.user).await, given.stored_session(bob.user).await);
        let fresh = Freshness { sessions: &store, factors: &store, within: FRESH, mail: true };
        let check = async |id: SessionId| {
            let (by, session) = (
                given.authorized::<ChangeAccount>(&ada),
                Session { id, user: ada.user, until: given.shop.now() + FRESH, impersonator: None },
            );
            fresh.check(by, session, given.shop.now()).await
        };
        assert_eq!(check(hers.id).await.unwrap().session(), hers.id);
        assert!(matches!(check(his.id).await, Err(Error::Unauthenticated)), "somebody else's");
        assert!(matches!(check(given.shop.id()).await, Err(Error::Unauthenticated)), "none");
        let little = Duration::from_micros(1);
        given.clock.advance(FRESH.saturating_sub(little));
        check(hers.id).await.unwrap();
        given.clock.advance(little);
        let Err(Error::NotFresh(ways)) = check(hers.id).await else { panic!("it is old") };
        assert_eq!(ways, ["password", "email_code"]);
    }
}
