//! Roles: the ladder of trust that permissions are given along.

use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_role_is_shown() {
        assert_eq!(Roles::new([Role::Admin, Role::User]).highest(), Role::Admin);
        assert_eq!(Roles::default().highest(), Role::User);
    }
}
