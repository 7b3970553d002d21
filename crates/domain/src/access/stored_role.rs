//! A role as it is stored: what it may do is data.

use crate::{
    catalog::Version,
    clock::Timestamp,
    id::RoleId,
    permission::{Permissions, Role},
};

/// A role with what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRole {
    /// Its id.
    pub id: RoleId,
    /// Its name and its place on the ladder.
    pub role: Role,
    /// What it may do, where somebody said so; a built-in role may do what it may as delivered otherwise, with what later
    /// versions of Souk add to it.
    pub own: Option<Permissions>,
    /// How often it was changed.
    pub version: Version,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl StoredRole {
    /// What who has the role may do. An administrator may do everything, whatever is stored: somebody must be able to mend
    /// the rest.
    pub fn permissions(&self) -> Permissions {
        Self::meaning(self.role, self.own)
    }

    /// What a role may do for which this is stored.
    pub fn meaning(role: Role, own: Option<Permissions>) -> Permissions {
        match (role, own) {
            (Role::Admin, _) => Permissions::ALL,
            (_, Some(own)) => own,
            (role, None) => Permissions::delivered(role),
        }
    }

    /// The built-in roles as delivered; every store begins with them, under these ids.
    pub fn delivered() -> Vec<Self> {
        let at = Timestamp::UNIX_EPOCH;
        let built_in = [(Role::Guest, 4), (Role::User, 1), (Role::Seller, 2), (Role::Admin, 3)]
            .map(|(role, n)| (role, RoleId(uuid::Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000 + n))));
        let stored = |(role, id)| Self { id, role, own: None, version: Version::FIRST, created_at: at, updated_at: at };
        built_in.into_iter().map(stored).collect()
    }
}
