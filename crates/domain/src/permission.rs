//! Who may: permissions as types, and the proof that a check was made.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Serialize};

pub use crate::role::{LEVEL_MAX, Role, RoleName, Roles, Step};
use crate::{
    actor::{Actor, Principal},
    error::{Error, Result},
};

/// Something a caller may be allowed to do. Each permission is a type, so that a use case can demand its proof.
pub trait Permission: Send + Sync + 'static {
    /// The name shown in documents and scopes, such as `products:write`.
    const NAME: &'static str;
    /// The lowest built-in role that has it as delivered, and the one a refusal names.
    const ROLE: Role;
    /// The set of this permission alone.
    const SET: Permissions;
}

/// A set of permissions: one bit each, so that a check is one comparison.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(u64);

/// Declares permissions as types and lists them, so that the table of roles cannot miss one. Each has a bit of its own.
macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal at $bit:literal from $role:ident;)+) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Permission for $name {
            const NAME: &'static str = $text;
            const ROLE: Role = Role::$role;
            const SET: Permissions = Permissions(1 << $bit);
        })+

        /// Every permission with the lowest role that has it as delivered.
        pub const ALL: &[(&str, Role)] = &[$(($text, Role::$role)),+];

        impl Permissions {
            /// Every permission there is.
            pub const ALL: Self = Self(0 $(| 1 << $bit)+);

            const NAMED: &'static [(&'static str, Self, Role)] = &[$(($text, <$name as Permission>::SET, Role::$role)),+];
        }
    };
}

permissions! {
    /// Read one's own account, see and end its sessions, listen.
    OwnAccount = "account:own" at 0 from Guest;
    /// Change how one signs in and what hangs on the account: password, address, second factors, passkeys, providers, archives,
    /// deletion; open seller accounts.
    ChangeAccount = "account:change" at 21 from User;
    /// Write and delete one's own reviews.
    WriteReviews = "reviews:write" at 1 from User;
    /// Make rooms, write in rooms, and moderate those one may.
    UseRooms = "rooms:use" at 2 from User;
    /// Make, see, rename and delete API keys of one's own and of the seller accounts one owns.
    ManageKeys = "keys:manage" at 3 from User;
    /// Invite to the seller accounts one is a member of, change what their members may do, and leave them.
    ManageMembers = "members:manage" at 4 from User;
    /// Create, change and delete products of one's own seller accounts.
    WriteProducts = "products:write" at 5 from Seller;
    /// Create, move and delete categories; see and change any product.
    ManageCatalog = "catalog:manage" at 6 from Admin;
    /// See, hide and show reviews of others.
    ModerateReviews = "reviews:moderate" at 7 from Admin;
    /// Enter, moderate and delete any room.
    ManageRooms = "rooms:manage" at 8 from Admin;
    /// Read the audit log.
    ReadAudit = "audit:read" at 9 from Admin;
    /// See background jobs and the schedule; retry, cancel and start jobs.
    ManageJobs = "jobs:manage" at 10 from Admin;
    /// See the webhooks that came in, and have them handled again.
    ManageHooks = "hooks:manage" at 25 from Admin;
    /// See and find people; ban them and lift bans.
    ManageUsers = "users:manage" at 11 from Admin;
    /// See and make roles, say what they may do, give them and take them back.
    ManageRoles = "roles:manage" at 12 from Admin;
    /// Make, see and change webhook endpoints of one's own and of the seller accounts one manages.
    ManageWebhooks = "webhooks:manage" at 24 from User;
    /// Make, see and change webhook endpoints that hear the whole shop.
    AdministerWebhooks = "webhooks:administer" at 26 from Admin;
    /// Call the models of the assistant, within its budgets.
    UseAssistant = "assistant:use" at 28 from User;
    /// See what everybody spent on models; set prices, budgets and the keys of providers.
    ManageAssistant = "assistant:manage" at 30 from Admin;
    /// Write the prompts of the shop, say which of their versions serve, and see how they do.
    WritePrompts = "prompts:write" at 27 from Admin;
    /// Act as somebody else for a quarter of an hour, in full view of the audit log.
    Impersonate = "users:impersonate" at 20 from Admin;
}

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);
    /// What no API key may have: whoever finds one must not be able to make others, or to rise.
    pub const NOT_FOR_KEYS: Self =
        Self(ChangeAccount::SET.0 | ManageKeys::SET.0 | ManageRoles::SET.0 | Impersonate::SET.0);
    /// What nobody may do while they act as somebody else: what would outlast it, or raise somebody.
    pub const IN_PERSON: Self = Self(ManageKeys::SET.0 | ManageRoles::SET.0 | Impersonate::SET.0);
    /// What a seller account may do by itself, through a key that belongs to it.
    pub const OF_SELLERS: Self = WriteProducts::SET;

    /// What a built-in role may do as delivered; a custom one may do nothing by itself.
    pub fn delivered(role: Role) -> Self {
        if matches!(role, Role::Custom(_)) {
            return Self::NONE;
        }
        let had = Self::NAMED.iter().filter(|(_, _, from)| role >= *from);
        had.fold(Self::NONE, |all, (_, one, _)| all.union(*one))
    }

    /// The permission of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(known, ..)| *known == name).map(|(_, one, _)| *one)
    }

    /// Those of these names that there are.
    pub fn of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().filter_map(Self::named).fold(Self::NONE, Self::union)
    }

    /// Whether all of these are among them.
    pub fn has(self, all: Self) -> bool {
        self.0 & all.0 == all.0
    }

    /// These and those.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// These without those.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names, in the order they are declared.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMED.iter().filter(move |(_, one, _)| self.has(*one)).map(|(name, ..)| *name)
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
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

    /// Makes sure that it is the person themselves, and no operator who acts as them.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn in_person(&self) -> Result<()> {
        if self.principal.impersonator.is_none() { Ok(()) } else { Err(not_for_others()) }
    }
}

/// What an operator is told who acts as somebody else and wants what only that person may.
pub fn not_for_others() -> Error {
    Error::forbidden("Not while you act as somebody else; DELETE /api/v1/auth/impersonation ends that")
}

impl Actor {
    /// Checks one permission.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Forbidden`] "Role X required" when their roles do not
    /// allow it, and "Scope X required" when they do and the API key they use does not.
    pub fn authorize<P: Permission>(&self) -> Result<Authorized<P>> {
        let Self::Signed(principal) = self else { return Err(Error::Unauthenticated) };
        if principal.may::<P>() {
            return Ok(Authorized { principal: principal.clone(), permission: PhantomData });
        }
        if principal.impersonator.is_some() && Permissions::IN_PERSON.has(P::SET) {
            return Err(not_for_others());
        }
        Err(Error::forbidden(match principal.key {
            Some(_) => format!("Scope {} required", P::NAME),
            None => format!("Role {} required", P::ROLE.name()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ApiKeyId, UserId};

    fn actor(role: Role) -> Actor {
        Actor::Signed(Principal::delivered(UserId(uuid::Uuid::nil()), Roles::new([Role::User, role])))
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
        assert_eq!(Permissions::delivered(Role::Admin), Permissions::ALL);
    }

    #[test]
    fn a_key_may_do_what_it_is_for_and_no_more() {
        let Actor::Signed(admin) = actor(Role::Admin) else { panic!() };
        let key = ApiKeyId(uuid::Uuid::nil());
        let narrow = Actor::Signed(admin.through_key(key, ManageCatalog::SET.union(ManageKeys::SET)));
        assert!(narrow.authorize::<ManageCatalog>().is_ok());
        let refused = narrow.authorize::<ReadAudit>().unwrap_err();
        assert_eq!(refused.to_string(), "Scope audit:read required");
        assert!(narrow.authorize::<ManageKeys>().is_err(), "no key makes keys");
        assert!(!narrow.principal().unwrap().is_admin());
    }

    #[test]
    fn every_permission_has_a_bit_and_a_name_of_its_own() {
        let mut seen = Permissions::NONE;
        for (name, one, _) in Permissions::NAMED {
            assert!(!one.is_empty() && seen.within(*one).is_empty(), "{name}");
            assert_eq!(Permissions::named(name), Some(*one));
            seen = seen.union(*one);
        }
        assert_eq!((seen, Permissions::NAMED.len()), (Permissions::ALL, ALL.len()));
        assert_eq!(Permissions::of_names(["jobs:manage", "unheard:of"]), ManageJobs::SET);
        assert_eq!(format!("{:?}", ManageJobs::SET), r#"{"jobs:manage"}"#);
    }
}
