//! Acting as somebody else: by permission, for a quarter of an hour, in full view.

use std::time::Duration;

use super::policy;
use crate::{
    actor::Principal,
    behalf::Impersonator,
    error::{Breach, Error, Result},
    id::{SessionId, UserId},
    identity::{
        self, Client, EndReason, Fresh, Impersonation, Methods, Profile, Sessions, StoredSession, User,
        ports::{AccessToken, Session},
    },
    permission::{Impersonate, Permissions},
    shop::Shop,
    store::Tx,
    text,
};

/// How long it lasts; it cannot be prolonged.
pub const IMPERSONATION: Duration = Duration::from_mins(15);

/// Most characters of a reason.
const REASON_MAX: usize = 500;

/// Why somebody acts as somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Reads a reason: one line of 1 to 500 characters.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn parse(text: &str) -> Result<Self, Breach> {
        text::line(text, 1, REASON_MAX).map(Self)
    }
}

/// An operator acts as somebody else from now on.
#[derive(Clone, PartialEq, Eq)]
pub struct Acting {
    /// As whom.
    pub profile: Profile,
    /// With what; there is nothing to renew it with.
    pub token: AccessToken,
    /// The session it belongs to.
    pub session: SessionId,
}

impl std::fmt::Debug for Acting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acting").field("session", &self.session).finish_non_exhaustive()
    }
}

/// Lets the caller act as somebody else. It ends after [`IMPERSONATION`], and before that with the session it was begun from, when the
/// caller loses a role, and when the person is banned or ends it. The person sees it among their sessions.
///
/// # Errors
/// [`Error::NotFound`] for the person; [`Error::Forbidden`] for one who does not stand below or may do what the caller may not;
/// [`Error::Conflict`] for oneself and for who is banned; [`Error::Unauthenticated`] when the caller's session has ended meanwhile.
pub async fn impersonate(
    shop: &Shop,
    sessions: &Sessions,
    by: &Fresh<Impersonate>,
    user: UserId,
    reason: &Reason,
    client: &Client,
) -> Result<Acting> {
    by.authorized().in_person()?;
    let (who, own) = (by.principal(), by.session());
    let from = Impersonator { user: who.user, session: own };
    shop.write("impersonate", |mut tx| async move {
        if user == who.user {
            return Err(Error::conflict("Nobody acts as themselves"));
        }
        let person = tx.users().find(user).await?.ok_or(Error::NotFound("User"))?;
        may_act_as(&mut *tx, who, &person).await?;
        let now = tx.now();
        // Held, so that whoever ends it at the same time finds what was begun from it.
        let mine = tx.sessions().find(own).await?;
        let mine = mine.filter(|mine| mine.user == who.user && mine.ended.is_none() && mine.impersonation.is_none());
        let mine = mine.ok_or(Error::Unauthenticated)?;
        let until = (now + IMPERSONATION).min(mine.expires_at);
        let profile = Profile { seller: tx.sellers().of_member(user).await?, user: person };
        let session = begun(shop, from, user, reason, client, until);
        let token = sessions.tokens.issue_to(from, &profile, session.id, until, now)?;
        if !tx.sessions().insert(&session, None).await? {
            return Err(Error::NotFound("User"));
        }
        shop.record(&mut *tx, Some(who.user), identity::session_impersonated(&session)).await?;
        tx.commit(Acting { profile, token, session: session.id }).await
    })
    .await
}

/// Goes back to being oneself.
///
/// # Errors
/// [`Error::Conflict`] for who acts as nobody else.
pub async fn stop_impersonation(shop: &Shop, session: Session) -> Result<()> {
    let by = session.impersonator.ok_or_else(|| Error::conflict("You act as nobody else"))?;
    shop.write("stop_impersonation", |mut tx| async move {
        let now = tx.now();
        let found = tx.sessions().find(session.id).await?.filter(|found| found.ended.is_none());
        if let Some(found) = found {
            identity::end(shop, &mut *tx, found, EndReason::ByOperator, Some(by.user), now).await?;
        }
        tx.commit(()).await
    })
    .await
}

/// Whoever acts as somebody gains nothing by it.
async fn may_act_as(tx: &mut dyn Tx, who: &Principal, person: &User) -> Result<()> {
    policy::is_above(who, &person.roles)?;
    let mut theirs = Permissions::NONE;
    for role in person.roles.iter() {
        if let Some(role) = tx.roles().find(role.name()).await? {
            theirs = theirs.union(role.permissions());
        }
    }
    let lacking = theirs.without(who.permissions);
    if !lacking.is_empty() {
        let names: Vec<_> = lacking.names().collect();
        return Err(Error::forbidden(format!("They may do what you may not: {}", names.join(", "))));
    }
    if tx.bans().find(person.id).await?.is_some() {
        return Err(Error::conflict("They are banned; nobody can act as them"));
    }
    Ok(())
}

fn begun(
    shop: &Shop,
    by: Impersonator,
    user: UserId,
    reason: &Reason,
    client: &Client,
    until: crate::clock::Timestamp,
) -> StoredSession {
    let now = shop.now();
    let mut family = [0; 32];
    shop.entropy.fill(&mut family);
    StoredSession {
        id: shop.id::<SessionId>(),
        user,
        family,
        generation: 0,
        rotated_at: now,
        client: client.clone(),
        created_at: now,
        authenticated_at: now,
        methods: Methods::NONE,
        last_used_at: now,
        idle_until: until,
        expires_at: until,
        tokens_until: until,
        ended: None,
        impersonation: Some(Impersonation { by, reason: reason.0.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        access::{BanInput, ban_user, set_role},
        behalf::Behalf,
        error::Violations,
        identity::{
            Known, RoleChange, SessionRules,
            known::{KnownRules, concerns},
            ports::Tokens as _,
        },
        permission::{ManageKeys, OwnAccount, Permission as _, Role, RoleName, Roles, Step},
        testing::{Fixtures, PlainMac, PlainTokens, memory::MemoryStore},
    };

    struct World {
        given: Fixtures,
        store: MemoryStore,
        known: Known,
        desk: Sessions,
    }

    impl World {
        async fn new() -> Self {
            let (given, store) = Fixtures::in_memory();
            let shared = Arc::new(store.clone());
            let clock = given.shop.clock.clone();
            let known = Known::new(shared.clone(), shared.clone(), shared, clock, KnownRules::default());
            known.reload().await.unwrap();
            let desk =
                Sessions { tokens: Arc::new(PlainTokens), mac: Arc::new(PlainMac), rules: SessionRules::default() };
            Self { given, store, known, desk }
        }

        async fn signed_in(&self, who: &Principal) -> Session {
            let stored = self.given.stored_session(who.user).await;
            Session { id: stored.id, user: who.user, until: stored.tokens_until, impersonator: None }
        }

        async fn act(&self, who: &Principal, own: Session, user: UserId) -> Result<Acting> {
            let reason = Reason::parse("A ticket of theirs").unwrap();
            let by = Fresh::assumed(self.given.authorized(who), own.id);
            impersonate(&self.given.shop, &self.desk, &by, user, &reason, &Client::default()).await
        }

        async fn who(&self, acting: &Acting) -> Option<Principal> {
            for event in self.store.events() {
                self.known.heed(&event);
            }
            let now = self.given.shop.now();
            self.known.heard(now);
            self.known.who(&PlainTokens.verify(&acting.token.token, now)?).await.unwrap()
        }
    }

    #[tokio::test]
    async fn an_operator_acts_as_a_person_for_a_while_and_both_are_named() {
        let world = World::new().await;
        let given = &world.given;
        let (admin, ada) = (given.person(Role::Admin).await, given.person(Role::User).await);
        let own = world.signed_in(&admin).await;
        let acting = world.act(&admin, own, ada.user).await.unwrap();
        let who = world.who(&acting).await.unwrap();
        assert_eq!((who.user, who.impersonator, who.is_admin()), (ada.user, Some(admin.user), false));
        assert!(who.may::<OwnAccount>() && !who.may::<ManageKeys>());
        let refused = crate::Actor::Signed(who.clone()).authorize::<ManageKeys>().unwrap_err();
        assert!(refused.to_string().contains("act as somebody else"), "{refused}");
        assert!(given.authorized::<OwnAccount>(&who).in_person().is_err());
        let begun = &world.store.audit_entries()[0];
        assert_eq!(
            (begun.actor, begun.impersonator, begun.action.as_str()),
            (Some(admin.user), None, "session.impersonate")
        );
        assert!(!serde_json::to_string(begun).unwrap().contains("ticket"), "the reason stands with the session alone");
        // Whatever is done meanwhile names both.
        let change = identity::role_changed(&given.user(Role::User), RoleChange::Grant, Role::Seller);
        let trace = Behalf::new(admin.user, async { given.shop.trace(Some(ada.user), change) }).await.unwrap();
        assert_eq!((trace.entry.actor, trace.entry.impersonator), (Some(ada.user), Some(admin.user)));
        given.clock.advance(IMPERSONATION);
        assert_eq!(world.who(&acting).await, None);
    }

    #[tokio::test]
    async fn it_cannot_be_prolonged_nor_begun_again_from_itself() {
        let world = World::new().await;
        let given = &world.given;
        let (admin, ada) = (given.person(Role::Admin).await, given.person(Role::Admin).await);
        let own = world.signed_in(&admin).await;
        let acting = world.act(&admin, own, ada.user).await.unwrap();
        let stored = given.tx().await.sessions().find(acting.session).await.unwrap().unwrap();
        let refresh = identity::RefreshToken::of(&PlainMac, &stored).expose();
        assert_eq!(world.desk.refresh(&given.shop, &refresh, &Client::default()).await.unwrap(), None);
        let who = world.who(&acting).await.unwrap();
        assert!(crate::Actor::Signed(who).authorize::<Impersonate>().is_err());
        let session =
            Session { id: acting.session, user: ada.user, until: acting.token.expires_at, impersonator: None };
        assert!(matches!(world.act(&ada, session, admin.user).await, Err(Error::Unauthenticated)));
    }

    #[tokio::test]
    async fn nobody_gains_by_it() {
        let world = World::new().await;
        let given = &world.given;
        let (admin, ada, seller) =
            (given.person(Role::Admin).await, given.person(Role::User).await, given.seller().await);
        let own = world.signed_in(&admin).await;
        assert!(matches!(world.act(&admin, own, admin.user).await, Err(Error::Conflict(_))));
        assert!(matches!(world.act(&admin, own, given.shop.id()).await, Err(Error::NotFound("User"))));
        // Somebody who stands above sellers and may not sell.
        let helper = Role::Custom(Step { name: RoleName::parse("helper").unwrap(), level: 60 });
        let may = Impersonate::SET.union(Permissions::delivered(Role::User));
        let helper = Principal::new(ada.user, Roles::new([Role::User, helper]), may, crate::identity::Sellers::NONE);
        let own = world.signed_in(&helper).await;
        let refused = world.act(&helper, own, seller.user).await.unwrap_err();
        assert_eq!(refused.to_string(), "They may do what you may not: products:write");
        let refused = world.act(&helper, own, admin.user).await.unwrap_err();
        assert_eq!(refused.to_string(), "They do not stand below you");
        let bob = given.person(Role::User).await;
        let input = BanInput { until: None, reason: Some("Because".to_owned()) };
        let ban = input.check(given.shop.now(), &mut Violations::default()).unwrap();
        ban_user(&given.shop, given.authorized(&admin), bob.user, ban).await.unwrap();
        assert!(matches!(world.act(&helper, own, bob.user).await, Err(Error::Conflict(_))));
    }

    #[tokio::test]
    async fn it_ends_with_whatever_it_stands_on() {
        let world = World::new().await;
        let given = &world.given;
        let shop = &given.shop;
        given.person(Role::Admin).await;
        for case in ["stopped", "signed out", "demoted", "banned", "all of theirs ended", "all of the person's ended"] {
            let (admin, ada) = (given.person(Role::Admin).await, given.person(Role::User).await);
            let boss = given.person(Role::Admin).await;
            let own = world.signed_in(&admin).await;
            let acting = world.act(&admin, own, ada.user).await.unwrap();
            assert!(world.who(&acting).await.is_some());
            match case {
                "stopped" => {
                    let session = PlainTokens.verify(&acting.token.token, shop.now()).unwrap();
                    stop_impersonation(shop, session).await.unwrap();
                    stop_impersonation(shop, session).await.unwrap();
                }
                "signed out" => identity::sign_out(shop, &given.authorized(&admin), own).await.unwrap(),
                "demoted" => {
                    let by = given.authorized(&boss);
                    set_role(shop, by, admin.user, RoleChange::Revoke, "admin").await.unwrap();
                    let by = given.authorized(&boss);
                    set_role(shop, by, admin.user, RoleChange::Grant, "admin").await.unwrap();
                }
                "banned" => {
                    let input = BanInput { until: None, reason: Some("Because".to_owned()) };
                    let ban = input.check(shop.now(), &mut Violations::default()).unwrap();
                    ban_user(shop, given.authorized(&boss), admin.user, ban).await.unwrap();
                }
                "all of theirs ended" => {
                    super::super::end_sessions(shop, &given.authorized(&boss), admin.user).await.map(|_| ()).unwrap();
                }
                _ => identity::revoke_sessions(shop, &given.authorized(&ada), None).await.map(|_| ()).unwrap(),
            }
            assert_eq!(world.who(&acting).await, None, "{case}");
            let ended = world.store.events().into_iter().rfind(|event| event.entity.id == acting.session.0).unwrap();
            assert_eq!((ended.kind.as_str(), concerns(&ended)), ("session.ended", Some(ada.user)), "{case}");
        }
        let admin = given.person(Role::Admin).await;
        let own = world.signed_in(&admin).await;
        assert!(matches!(stop_impersonation(shop, own).await, Err(Error::Conflict(_))));
    }

    #[test]
    fn a_reason_is_one_line() {
        assert!(Reason::parse("A ticket of theirs").is_ok());
        for bad in [String::new(), "two\nlines".to_owned(), "x".repeat(501)] {
            assert!(Reason::parse(&bad).is_err(), "{bad}");
        }
    }
}
