//! A role as it is sent.

use crate::{
    error::{Breach, Violations},
    permission::{LEVEL_MAX, Permissions, Role, RoleName, Step},
};

/// What makes a role, unchecked.
#[derive(Debug, Clone, Default)]
pub struct RoleInput {
    /// Its name.
    pub name: Option<String>,
    /// Its place on the ladder.
    pub level: Option<i64>,
    /// What it may do, by name.
    pub permissions: Option<Vec<String>>,
}

/// A checked [`RoleInput`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRole {
    pub(super) role: Role,
    pub(super) permissions: Permissions,
}

impl RoleInput {
    /// Checks every field; breaches go to `violations`.
    pub fn check(&self, violations: &mut Violations) -> Option<NewRole> {
        let name = match &self.name {
            Some(text) => violations.check("/name", RoleName::parse(text)),
            None => violations.missing("/name"),
        };
        let level = match self.level {
            Some(level) => violations.check("/level", read_level(level)),
            None => violations.missing("/level"),
        };
        let permissions = match &self.permissions {
            Some(names) => read_permissions(names, "/permissions", violations),
            None => violations.missing("/permissions"),
        };
        Some(NewRole { role: Role::Custom(Step { name: name?, level: level? }), permissions: permissions? })
    }
}

/// A change of a role: what is absent stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::option_option, reason = "nothing said, as delivered, and these are three things")]
pub struct RolePatch {
    pub(super) level: Option<u8>,
    /// `Some(None)` is what the role may do as delivered.
    pub(super) permissions: Option<Option<Permissions>>,
}

impl RolePatch {
    /// Moves it on the ladder.
    pub fn level(&mut self, level: i64, violations: &mut Violations) {
        self.level = violations.check("/level", read_level(level));
    }

    /// Says what it may do from now on.
    pub fn permissions(&mut self, names: &[String], violations: &mut Violations) {
        self.permissions = read_permissions(names, "/permissions", violations).map(Some);
    }

    /// Lets it do what it may as delivered.
    pub fn as_delivered(&mut self) {
        self.permissions = Some(None);
    }
}

fn read_level(level: i64) -> Result<u8, Breach> {
    let between = u8::try_from(level).ok().filter(|level| (1..LEVEL_MAX).contains(level));
    between.ok_or_else(|| Breach::new("range", "must be a whole number from 1 to 99"))
}

/// Permissions by name; each that there is not is a breach of its own.
pub(super) fn read_permissions(names: &[String], pointer: &str, violations: &mut Violations) -> Option<Permissions> {
    let mut all = Permissions::NONE;
    let mut whole = true;
    for (i, name) in names.iter().enumerate() {
        if let Some(one) = Permissions::named(name) {
            all = all.union(one);
        } else {
            let known = Permissions::ALL.names().collect::<Vec<_>>().join(", ");
            violations.add(format!("{pointer}/{i}"), "enum", format!("must be one of {known}"));
            whole = false;
        }
    }
    whole.then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_breach_is_told_at_once() {
        let mut violations = Violations::default();
        let names = ["audit:read", "everything"].map(str::to_owned).to_vec();
        let input = RoleInput { name: Some("admin".to_owned()), level: Some(100), permissions: Some(names) };
        assert_eq!(input.check(&mut violations), None);
        let told: Vec<_> = violations.iter().map(|one| (one.field.as_str(), one.rule)).collect();
        assert_eq!(told, [("/name", "built_in"), ("/level", "range"), ("/permissions/1", "enum")]);
        let mut violations = Violations::default();
        assert_eq!(RoleInput::default().check(&mut violations), None);
        assert_eq!(violations.iter().count(), 3);
    }
}
