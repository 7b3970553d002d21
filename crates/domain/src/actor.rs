//! Who calls.

use serde::{Deserialize, Serialize};

use crate::{
    id::{SellerId, UserId},
    role::{Role, Roles},
};

/// The caller of a use case, resolved once per request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Nobody signed in.
    Anonymous,
    /// A person signed in.
    Signed(Principal),
}

/// A person who signed in, with what the database said of them during this request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The person.
    pub user: UserId,
    /// Their roles.
    pub roles: Roles,
    /// The seller account they act for.
    pub seller: Option<SellerId>,
}

impl Principal {
    /// True for an administrator of the installation.
    pub fn is_admin(&self) -> bool {
        self.roles.has(Role::Admin)
    }
}

impl Actor {
    /// The person, when one is signed in.
    pub fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Anonymous => None,
            Self::Signed(principal) => Some(principal),
        }
    }
}
