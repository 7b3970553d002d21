//! Who may see and change which endpoint.

use super::Owner;
use crate::{
    actor::Principal,
    error::{Error, Result},
    organisation::{self, MemberRole},
    permission::AdministerWebhooks,
};

/// Whether somebody may make, see and change the endpoints of an owner, in whose account they have this role: people their own,
/// managers and owners those of a seller account, whoever runs the installation those of the shop.
///
/// # Errors
/// [`Error::NotFound`] for who may not know of the account, [`Error::Forbidden`].
pub fn may_manage(who: &Principal, owner: Owner, role: Option<MemberRole>) -> Result<()> {
    match owner {
        Owner::Person(user) if user == who.user => Ok(()),
        Owner::Person(_) => Err(Error::NotFound("Person")),
        Owner::Seller(_) => organisation::policy::may_invite(role).map(|_| ()),
        Owner::Shop if who.may::<AdministerWebhooks>() => Ok(()),
        Owner::Shop => Err(Error::forbidden("Only whoever runs the installation may hear the whole shop")),
    }
}

/// The same for an endpoint that there is: to who may not, it does not exist.
///
/// # Errors
/// [`Error::NotFound`].
pub fn may_see(who: &Principal, owner: Owner, role: Option<MemberRole>) -> Result<()> {
    may_manage(who, owner, role).map_err(|_| Error::NotFound("Webhook endpoint"))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        id::{SellerId, UserId},
        permission::{Role, Roles},
    };

    #[test]
    fn each_owner_has_their_own() {
        let (ada, bob) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let user = Principal::delivered(ada, Roles::new([Role::User]));
        let admin = Principal::delivered(ada, Roles::new([Role::User, Role::Admin]));
        let seller = Owner::Seller(SellerId(Uuid::from_u128(3)));
        assert!(may_manage(&user, Owner::Person(ada), None).is_ok());
        for who in [&user, &admin] {
            assert!(matches!(may_manage(who, Owner::Person(bob), None), Err(Error::NotFound(_))));
            assert!(matches!(may_manage(who, seller, None), Err(Error::NotFound(_))), "a stranger learns nothing");
            assert!(matches!(may_manage(who, seller, Some(MemberRole::Member)), Err(Error::Forbidden(_))));
            assert!(may_manage(who, seller, Some(MemberRole::Manager)).is_ok());
        }
        assert!(matches!(may_manage(&user, Owner::Shop, None), Err(Error::Forbidden(_))));
        assert!(may_manage(&admin, Owner::Shop, None).is_ok());
        assert!(matches!(may_see(&user, Owner::Shop, None), Err(Error::NotFound("Webhook endpoint"))));
    }
}
