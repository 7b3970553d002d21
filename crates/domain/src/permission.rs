//! Who may: roles, permissions as types, and the proof that a check was made.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::{
    actor::{Actor, Principal},
    error::{Error, Result},
};

/// A level of trust, from least to most; the order is the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everybody who signed up.
    User,
    /// Sells through a seller account.
    Seller,
    /// Runs the installation.
    Admin,
}

impl Role {
    /// Every role, from least to most.
    pub const ALL: [Self; 3] = [Self::User, Self::Seller, Self::Admin];

    /// The name stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Seller => "seller",
            Self::Admin => "admin",
        }
    }

    /// The role of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A set of roles; what is granted is the union.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(Vec<Role>);

impl Roles {
    /// A set of these roles.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Self {
        let mut roles: Vec<Role> = roles.into_iter().collect();
        roles.sort_unstable();
        roles.dedup();
        Self(roles)
    }

    /// True when the role is in the set.
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// The set with one role more.
    #[must_use]
    pub fn with(self, role: Role) -> Self {
        Self::new(self.0.into_iter().chain([role]))
    }

    /// The highest role, shown as `role` in outputs.
    pub fn highest(&self) -> Role {
        self.0.last().copied().unwrap_or(Role::User)
    }

    /// The roles, from least to most.
    pub fn iter(&self) -> impl Iterator<Item = Role> {
        self.0.iter().copied()
    }
}

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
    /// Create, change and delete products of one's own seller account.
    WriteProducts = "products:write" from Seller;
    /// Create, move and delete categories; change any product in bulk.
    ManageCatalog = "catalog:manage" from Admin;
    /// Hide and show reviews of others.
    ModerateReviews = "reviews:moderate" from Admin;
    /// Read the audit log.
    ReadAudit = "audit:read" from Admin;
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

    #[test]
    fn the_highest_role_is_shown() {
        assert_eq!(Roles::new([Role::Admin, Role::User]).highest(), Role::Admin);
        assert_eq!(Roles::default().highest(), Role::User);
    }
}
