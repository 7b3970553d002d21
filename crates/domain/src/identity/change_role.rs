//! Giving somebody a role, and taking it back.

use super::{Email, User, events};
use crate::{
    error::{Error, Result},
    permission::{Role, Roles},
    shop::Shop,
};

/// What is to become of a role of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleChange {
    /// They have it from now on.
    Grant,
    /// They have it no more.
    Revoke,
}

/// Changes what somebody may do: for the operator at the command line, who needs no permission inside the shop. It counts at
/// once, in open connections too. Gives the person as they are then; a change that changes nothing leaves no trace.
///
/// # Errors
/// [`Error::NotFound`] when nobody has this address, [`Error::Conflict`] for the role user, which everybody keeps, and for a
/// seller without an account to sell from.
pub async fn change_role(shop: &Shop, email: &Email, change: RoleChange, role: Role) -> Result<User> {
    shop.write("change_role", |mut tx| async move {
        let id = tx.users().by_email(email).await?.ok_or(Error::NotFound("User"))?;
        let mut user = tx.users().find(id).await?.ok_or(Error::NotFound("User"))?;
        if user.roles.has(role) == (change == RoleChange::Grant) {
            return tx.commit(user).await;
        }
        let now = tx.now();
        match change {
            RoleChange::Grant if role == Role::Seller && tx.sellers().of_member(id).await?.is_none() => {
                return Err(Error::conflict("They have no seller account; who opens one becomes a seller"));
            }
            RoleChange::Grant => tx.users().grant(id, role, now).await?,
            RoleChange::Revoke if role == Role::User => {
                return Err(Error::conflict("Everybody keeps the role user"));
            }
            RoleChange::Revoke => tx.users().revoke(id, role, now).await?,
        }
        let others = user.roles.iter().filter(|one| *one != role);
        let granted = (change == RoleChange::Grant).then_some(role);
        user.roles = Roles::new(others.chain(granted));
        shop.record(&mut *tx, None, events::role_changed(&user, change, role)).await?;
        tx.commit(user).await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        identity::{known::concerns, ports::UserQueries},
        testing::Fixtures,
    };

    #[tokio::test]
    async fn a_role_is_given_and_taken_back_and_both_are_told() {
        let (given, store) = Fixtures::in_memory();
        let ada = given.person(Role::User).await.user;
        let email = store.profile(ada).await.unwrap().unwrap().user.email;
        let change = async |change, role| change_role(&given.shop, &email, change, role).await;
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
        let change = async |email: &Email, change, role| change_role(&given.shop, email, change, role).await;
        assert!(matches!(change(&ada, RoleChange::Grant, Role::Seller).await, Err(Error::Conflict(_))));
        assert!(matches!(change(&ada, RoleChange::Revoke, Role::User).await, Err(Error::Conflict(_))));
        let nobody = Email::stored("nobody@example.com".to_owned());
        assert!(matches!(change(&nobody, RoleChange::Grant, Role::Admin).await, Err(Error::NotFound("User"))));
        assert_eq!(store.traces(), []);
        // Who was a seller may become one again.
        change(&bob, RoleChange::Revoke, Role::Seller).await.unwrap();
        assert_eq!(change(&bob, RoleChange::Grant, Role::Seller).await.unwrap().roles.highest(), Role::Seller);
    }
}
