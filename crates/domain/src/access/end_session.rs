//! Ending the sessions of others.

use super::policy;
use crate::{
    error::{Error, Result},
    id::{SessionId, UserId},
    identity::{self, EndReason},
    permission::{Authorized, ManageUsers},
    shop::Shop,
    store::Tx,
};

/// Ends one session of somebody, at once and on every node.
///
/// # Errors
/// [`Error::NotFound`] for the person, and for a session that is over or somebody else's; [`Error::Forbidden`] for who does not
/// stand below.
pub async fn end_session(shop: &Shop, by: &Authorized<ManageUsers>, user: UserId, id: SessionId) -> Result<()> {
    shop.write("end_session_of", |mut tx| async move {
        may_end(&mut *tx, by, user).await?;
        let now = tx.now();
        let found = tx.sessions().find(id).await?.filter(|session| session.user == user && session.is_live(now));
        let session = found.ok_or(Error::NotFound("Session"))?;
        identity::end(shop, &mut *tx, session, EndReason::ByOperator, Some(by.principal().user), now).await?;
        tx.commit(()).await
    })
    .await
}

/// Ends all sessions of somebody, at once and on every node. Gives how many.
///
/// # Errors
/// [`Error::NotFound`] for the person; [`Error::Forbidden`] for who does not stand below.
pub async fn end_sessions(shop: &Shop, by: &Authorized<ManageUsers>, user: UserId) -> Result<usize> {
    shop.write("end_sessions_of", |mut tx| async move {
        may_end(&mut *tx, by, user).await?;
        let who = Some(by.principal().user);
        let ended = identity::end_sessions_of(shop, &mut *tx, user, None, EndReason::ByOperator, who).await?;
        tx.commit(ended).await
    })
    .await
}

async fn may_end(tx: &mut dyn Tx, by: &Authorized<ManageUsers>, user: UserId) -> Result<()> {
    by.in_person()?;
    let other = tx.users().find(user).await?.ok_or(Error::NotFound("User"))?;
    policy::is_above(by.principal(), &other.roles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        actor::Principal,
        permission::{Permission as _, Permissions, Role, RoleName, Roles, Step},
        testing::Fixtures,
    };

    #[tokio::test]
    async fn an_operator_ends_the_sessions_of_whoever_stands_below() {
        let (given, store) = Fixtures::in_memory();
        let (admin, ada) = (given.person(Role::Admin).await, given.person(Role::User).await);
        let sessions = [given.stored_session(ada.user).await, given.stored_session(ada.user).await];
        let strange = given.stored_session(admin.user).await;
        let by = given.authorized(&admin);
        for other in [strange.id, given.shop.id()] {
            let missed = end_session(&given.shop, &by, ada.user, other).await;
            assert!(matches!(missed, Err(Error::NotFound("Session"))));
        }
        end_session(&given.shop, &by, ada.user, sessions[0].id).await.unwrap();
        assert_eq!(end_sessions(&given.shop, &by, ada.user).await.unwrap(), 1);
        assert_eq!(end_sessions(&given.shop, &by, ada.user).await.unwrap(), 0);
        let missed = end_sessions(&given.shop, &by, given.shop.id()).await;
        assert!(matches!(missed, Err(Error::NotFound("User"))));
        let told: Vec<_> = store.audit_entries().iter().map(|entry| (entry.actor, entry.metadata.clone())).collect();
        let reason = serde_json::json!({ "userId": ada.user, "reason": "by_operator" });
        assert_eq!(told, [(Some(admin.user), reason.clone()), (Some(admin.user), reason)]);
    }

    #[tokio::test]
    async fn nobody_ends_those_of_whoever_stands_above() {
        let (given, _) = Fixtures::in_memory();
        let admin = given.person(Role::Admin).await;
        let steward = Role::Custom(Step { name: RoleName::parse("steward").unwrap(), level: 60 });
        let may = ManageUsers::SET.union(Permissions::delivered(Role::User));
        let who = given.person(Role::User).await.user;
        let steward = Principal::new(who, Roles::new([Role::User, steward]), may, admin.sellers);
        let refused = end_sessions(&given.shop, &given.authorized(&steward), admin.user).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))));
    }
}
