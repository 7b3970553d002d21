//! Giving somebody a role, and taking it back.

use super::policy;
use crate::{
    actor::Principal,
    error::{Error, Result},
    id::UserId,
    identity::{Email, RoleChange, User, end_acting, role_changed},
    permission::{Authorized, ManageRoles, Role},
    shop::Shop,
    store::Tx,
};

/// Gives somebody a role or takes it back, by permission. Gives the person as they are then; what changes nothing leaves no
/// trace. It counts at once, in open connections too.
///
/// # Errors
/// [`Error::NotFound`] for the person and for the role; [`Error::Forbidden`] for a role that does not stand below one's own or
/// may what one may not, and for a person who does not stand below; [`Error::Conflict`] for the role user, which everybody
/// keeps, for guests, for a seller without an account to sell from, and for the last administrator.
pub async fn set_role(
    shop: &Shop,
    by: Authorized<ManageRoles>,
    user: UserId,
    change: RoleChange,
    role: &str,
) -> Result<User> {
    let who = by.principal();
    shop.write("set_role", |mut tx| async move {
        let user = turn(shop, &mut *tx, Some(who), user, change, role).await?;
        tx.commit(user).await
    })
    .await
}

/// [`set_role`] for the operator at the command line, who needs no permission inside the shop.
///
/// # Errors
/// Those of [`set_role`] but [`Error::Forbidden`].
pub async fn change_role(shop: &Shop, email: &Email, change: RoleChange, role: &str) -> Result<User> {
    shop.write("change_role", |mut tx| async move {
        let id = tx.users().by_email(email).await?.ok_or(Error::NotFound("User"))?;
        let user = turn(shop, &mut *tx, None, id, change, role).await?;
        tx.commit(user).await
    })
    .await
}

async fn turn(
    shop: &Shop,
    tx: &mut dyn Tx,
    who: Option<&Principal>,
    id: UserId,
    change: RoleChange,
    role: &str,
) -> Result<User> {
    // Held, so that neither the role nor the last who has it goes meanwhile.
    let stored = tx.roles().find(role).await?.ok_or(Error::NotFound("Role"))?;
    let role = stored.role;
    let mut user = tx.users().find(id).await?.ok_or(Error::NotFound("User"))?;
    if let Some(who) = who {
        policy::is_below(who, role)?;
        if id != who.user {
            policy::is_above(who, &user.roles)?;
        }
        if change == RoleChange::Grant {
            policy::may_give(who, stored.permissions())?;
        }
    }
    if user.roles.has(role) == (change == RoleChange::Grant) {
        return Ok(user);
    }
    let now = shop.now();
    match change {
        _ if role == Role::Guest || user.roles.has(Role::Guest) => {
            return Err(Error::conflict(
                "A guest becomes a user by POST /api/v1/auth/anonymous/promotion, and nobody a guest",
            ));
        }
        RoleChange::Grant if role == Role::Seller && tx.organisations().accounts_of(id).await?.is_empty() => {
            return Err(Error::conflict("They have no seller account; who opens one becomes a seller"));
        }
        RoleChange::Grant => tx.users().grant(id, role, now).await?,
        RoleChange::Revoke if role == Role::User => {
            return Err(Error::conflict("Everybody keeps the role user"));
        }
        RoleChange::Revoke => {
            if role == Role::Admin {
                keep_an_admin(tx, id).await?;
            }
            tx.users().revoke(id, role, now).await?;
            // Whoever acts as somebody else may lack by now what they began it with, and is not to go on when they have it again.
            end_acting(shop, tx, id, None, who.map(|who| who.user), now).await?;
        }
    }
    user.roles = match change {
        RoleChange::Grant => user.roles.with(role),
        RoleChange::Revoke => user.roles.without(role),
    };
    user.updated_at = now;
    shop.record(tx, who.map(|who| who.user), role_changed(&user, change, role)).await?;
    Ok(user)
}

/// Refuses to let go of an administrator when that would leave none who is not banned. The role is held until the transaction ends.
pub(crate) async fn keep_an_admin(tx: &mut dyn Tx, user: UserId) -> Result<()> {
    tx.roles().find(Role::Admin.name()).await?;
    let counts = tx.bans().find(user).await?.is_none();
    if counts && tx.roles().holders(Role::Admin).await? <= 1 {
        return Err(Error::conflict("This is the last administrator; make another one first"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::{BanInput, ban_user},
        error::Violations,
        identity::{known::concerns, ports::UserQueries},
        testing::Fixtures,
    };

    #[tokio::test]
    async fn a_role_is_given_and_taken_back_and_both_are_told() {
        let (given, store) = Fixtures::in_memory();
        let ada = given.person(Role::User).await.user;
        let email = store.profile(ada).await.unwrap().unwrap().user.email;
        given.person(Role::Admin).await;
        let change = async |change, role: Role| change_role(&given.shop, &email, change, role.name()).await;
        for _ in 0..2 {
            let user = change(RoleChange::Grant, Role::Admin).await.unwrap();
            assert_eq!(user.roles.highest(), Role::Admin);
            assert!(store.principal(ada).await.unwrap().unwrap().is_admin());
        }
        for _ in 0..2 {
            let user = change(RoleChange::Revoke, Role::Admin).await.unwrap();
            assert_eq!(user.roles.iter().collect::<Vec<_>>(), [Role::User]);
            assert!(!store.principal(ada).await.unwrap().unwrap().is_admin());
        }
        let trace = |verb: &str, told: &str| (format!("user.{verb}_role"), format!("user.role_{told}"));
        assert_eq!(store.traces(), [trace("grant", "granted"), trace("revoke", "revoked")]);
        for event in store.events() {
            assert_eq!(concerns(&event), Some(ada), "whoever keeps who they are hears of it");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused() {
        let (given, store) = Fixtures::in_memory();
        let (ada, bob) = (given.person(Role::User).await.user, given.seller().await.user);
        let of = async |user| store.profile(user).await.unwrap().unwrap().user.email;
        let (ada, bob) = (of(ada).await, of(bob).await);
        let change =
            async |email: &Email, change, role: Role| change_role(&given.shop, email, change, role.name()).await;
        assert!(matches!(change(&ada, RoleChange::Grant, Role::Seller).await, Err(Error::Conflict(_))));
        assert!(matches!(change(&ada, RoleChange::Revoke, Role::User).await, Err(Error::Conflict(_))));
        let nobody = Email::stored("nobody@example.com".to_owned());
        assert!(matches!(change(&nobody, RoleChange::Grant, Role::Admin).await, Err(Error::NotFound("User"))));
        assert_eq!(store.traces(), []);
        // Who was a seller may become one again.
        change(&bob, RoleChange::Revoke, Role::Seller).await.unwrap();
        assert_eq!(change(&bob, RoleChange::Grant, Role::Seller).await.unwrap().roles.highest(), Role::Seller);
    }

    #[tokio::test]
    async fn the_last_administrator_keeps_the_role() {
        let (given, store) = Fixtures::in_memory();
        let (ada, bob) = (given.person(Role::Admin).await, given.person(Role::Admin).await);
        let revoke = async |by: &Principal, of: &Principal| {
            set_role(&given.shop, given.authorized(by), of.user, RoleChange::Revoke, "admin").await
        };
        let now = given.shop.now();
        let input = BanInput { until: None, reason: Some("Because".to_owned()) };
        let ban = input.check(now, &mut Violations::default()).unwrap();
        ban_user(&given.shop, given.authorized(&ada), bob.user, ban.clone()).await.unwrap();
        ban_user(&given.shop, given.authorized(&ada), bob.user, ban.clone()).await.unwrap();
        assert!(matches!(revoke(&ada, &ada).await, Err(Error::Conflict(_))), "who is banned does not count");
        // As if both had begun before either was done.
        let late = ban_user(&given.shop, given.authorized(&bob), ada.user, ban).await;
        assert!(matches!(late, Err(Error::Conflict(_))));
        revoke(&ada, &bob).await.unwrap();
        let email = store.profile(ada.user).await.unwrap().unwrap().user.email;
        let by_command = change_role(&given.shop, &email, RoleChange::Revoke, "admin").await;
        assert!(matches!(by_command, Err(Error::Conflict(_))));
        assert!(store.principal(ada.user).await.unwrap().unwrap().is_admin());
    }
}
