//! Who may: permissions as types, and the proof that a check was made.

use std::marker::PhantomData;

pub use crate::role::{Role, Roles};
use crate::{
    actor::{Actor, Principal},
    error::{Error, Result},
};

/// Something a caller may be allowed to do. Each permission is a type, so that a use case can demand its proof.
pub trait Permission: Send + Sync + 'static {
    /// The name shown in documents and scopes, such as `products:write`.
    const NAME: &'static str;
    /// The lowest role that has it.
    const ROLE: Role;
}

/// Declares permissions as types and lists them, so that the table of roles cannot miss one.
macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal from $role:ident;)+) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Permission for $name {
            const NAME: &'static str = $text;
            const ROLE: Role = Role::$role;
        })+

        /// Every permission with the lowest role that has it.
        pub const ALL: &[(&str, Role)] = &[$(($text, Role::$role)),+];
    };
}

permissions! {
    /// Read and change one's own account.
    OwnAccount = "account:own" from User;
    /// Write and delete one's own reviews.
    WriteReviews = "reviews:write" from User;
    /// Make rooms, write in rooms, and moderate those one may.
    UseRooms = "rooms:use" from User;
    /// Create, change and delete products of one's own seller account.
    WriteProducts = "products:write" from Seller;
    /// Create, move and delete categories; change any product in bulk.
    ManageCatalog = "catalog:manage" from Admin;
    /// Hide and show reviews of others.
    ModerateReviews = "reviews:moderate" from Admin;
    /// Read the audit log.
    ReadAudit = "audit:read" from Admin;
    /// See background jobs and the schedule; retry, cancel and start jobs.
    ManageJobs = "jobs:manage" from Admin;
}

/// The proof that a caller has permission `P`. [`Actor::authorize`] is its only maker.
#[derive(Debug, Clone)]
pub struct Authorized<P> {
    principal: Principal,
    permission: PhantomData<fn() -> P>,
}

impl<P> Authorized<P> {
    /// Who was checked.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }
}

impl Actor {
    /// Checks one permission.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Forbidden`] "Role X required" otherwise.
    pub fn authorize<P: Permission>(&self) -> Result<Authorized<P>> {
        let Self::Signed(principal) = self else { return Err(Error::Unauthenticated) };
        if principal.roles.highest() >= P::ROLE {
            Ok(Authorized { principal: principal.clone(), permission: PhantomData })
        } else {
            Err(Error::forbidden(format!("Role {} required", P::ROLE.name())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;

    fn actor(role: Role) -> Actor {
        Actor::Signed(Principal {
            user: UserId(uuid::Uuid::nil()),
            roles: Roles::new([Role::User, role]),
            seller: None,
        })
    }

    #[test]
    fn nobody_is_unauthenticated_and_a_user_lacks_the_role() {
        assert!(matches!(Actor::Anonymous.authorize::<WriteProducts>(), Err(Error::Unauthenticated)));
        let refused = actor(Role::User).authorize::<WriteProducts>().unwrap_err();
        assert_eq!(refused.to_string(), "Role seller required");
    }

    #[test]
    fn a_seller_may_write_products_and_an_admin_may_do_everything() {
        assert!(actor(Role::Seller).authorize::<WriteProducts>().is_ok());
        assert!(actor(Role::Seller).authorize::<ManageCatalog>().is_err());
        assert!(actor(Role::Admin).authorize::<WriteProducts>().is_ok());
    }
}
