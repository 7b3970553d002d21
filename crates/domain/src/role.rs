//! Roles: the ladder of trust that permissions are given along.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Breach;

/// The level of the highest role, that of administrators.
pub const LEVEL_MAX: u8 = 100;

/// A level of trust; the order is the ladder, from least to most. What a role may do is data
/// ([`crate::access::StoredRole`]); the four built-in ones are always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Came without saying who they are, and has not claimed the account yet.
    Guest,
    /// Everybody who signed up.
    User,
    /// Sells through a seller account.
    Seller,
    /// Runs the installation.
    Admin,
    /// One that an administrator made, such as `mentored`.
    Custom(Step),
}

/// A role that was made, and its place on the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Step {
    /// Its name.
    pub name: RoleName,
    /// Its place: above guest and user (0), below admin (100); seller stands at 40.
    pub level: u8,
}

impl Role {
    /// The built-in roles, from least to most.
    pub const ALL: [Self; 4] = [Self::Guest, Self::User, Self::Seller, Self::Admin];

    /// The name stored and shown.
    pub fn name(&self) -> &str {
        match self {
            Self::Guest => "guest",
            Self::User => "user",
            Self::Seller => "seller",
            Self::Admin => "admin",
            Self::Custom(step) => step.name.as_str(),
        }
    }

    /// Its place on the ladder; of one level, the name decides.
    pub fn level(&self) -> u8 {
        match self {
            Self::Guest | Self::User => 0,
            Self::Seller => 40,
            Self::Admin => LEVEL_MAX,
            Self::Custom(step) => step.level,
        }
    }

    /// The built-in role of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The role of a name and level as they are stored; `None` when the name is none.
    pub fn stored(name: &str, level: u8) -> Option<Self> {
        Self::named(name).or_else(|| Some(Self::Custom(Step { name: RoleName::parse(name).ok()?, level })))
    }
}

impl Ord for Role {
    fn cmp(&self, other: &Self) -> Ordering {
        self.level().cmp(&other.level()).then_with(|| self.name().cmp(other.name()))
    }
}

impl PartialOrd for Role {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The name of a role that was made: 2 to 32 lower-case letters, digits, `_` and `-`, a letter first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RoleName {
    bytes: [u8; RoleName::MAX],
    length: u8,
}

impl RoleName {
    /// Most characters of a name.
    pub const MAX: usize = 32;

    /// Reads a name; those of the built-in roles are taken.
    pub fn parse(text: &str) -> Result<Self, Breach> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
        let form = (2..=Self::MAX).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(fits);
        if !form {
            let message = "must have 2 to 32 lower-case letters, digits, _ and -, a letter first";
            return Err(Breach::new("role_name", message));
        }
        if Role::named(text).is_some() {
            return Err(Breach::new("built_in", "is the name of a built-in role"));
        }
        let mut bytes = [0; Self::MAX];
        for (place, byte) in bytes.iter_mut().zip(text.bytes()) {
            *place = byte;
        }
        Ok(Self { bytes, length: u8::try_from(text.len()).unwrap_or_default() })
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        let name = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        // ASCII since it was read.
        std::str::from_utf8(name).unwrap_or_default()
    }
}

impl fmt::Debug for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl Serialize for RoleName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RoleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|breach| serde::de::Error::custom(breach.message))
    }
}

/// A set of roles; what is granted is the union.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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

    /// The set with one role less.
    #[must_use]
    pub fn without(self, role: Role) -> Self {
        Self::new(self.0.into_iter().filter(|one| *one != role))
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

/// Roles with their levels, as who somebody is is kept in the process. Elsewhere a role is its name.
pub(crate) mod kept {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Role, Roles};

    pub(crate) fn serialize<S: Serializer>(roles: &Roles, serializer: S) -> Result<S::Ok, S::Error> {
        let pairs: Vec<(&str, u8)> = roles.0.iter().map(|role| (role.name(), role.level())).collect();
        pairs.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Roles, D::Error> {
        let pairs = Vec::<(String, u8)>::deserialize(deserializer)?;
        Ok(Roles::new(pairs.iter().filter_map(|(name, level)| Role::stored(name, *level))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(name: &str, level: u8) -> Role {
        Role::Custom(Step { name: RoleName::parse(name).unwrap(), level })
    }

    #[test]
    fn the_highest_role_is_shown() {
        assert_eq!(Roles::new([Role::Admin, Role::User]).highest(), Role::Admin);
        assert_eq!(Roles::default().highest(), Role::User);
        let (mentored, trusted) = (custom("mentored", 20), custom("trusted", 60));
        assert_eq!(Roles::new([Role::User, mentored]).highest(), mentored);
        let all = Roles::new([trusted, Role::Admin, mentored, Role::Seller, Role::User]);
        assert_eq!(all.iter().collect::<Vec<_>>(), [Role::User, mentored, Role::Seller, trusted, Role::Admin]);
        assert_eq!(serde_json::to_string(&all).unwrap(), r#"["user","mentored","seller","trusted","admin"]"#);
    }

    #[test]
    fn a_name_has_a_form_and_is_not_taken() {
        assert_eq!(RoleName::parse("top-1_x").unwrap().as_str(), "top-1_x");
        for bad in ["", "a", "Mentored", "1st", "a b", "é2", "-ab", "admin", "user", "guest", "seller", &"x".repeat(33)]
        {
            assert!(RoleName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Role::stored("admin", 3), Some(Role::Admin), "built-in roles stand where they stand");
    }
}
