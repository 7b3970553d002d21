//! Who may say what others may do: nobody gives what they do not have, or acts against who stands above them.

use crate::{
    actor::Principal,
    error::{Error, Result},
    permission::{Permissions, Role, Roles},
};

/// Whether somebody may let others do this.
///
/// # Errors
/// [`Error::Forbidden`] for what they may not do themselves.
pub fn may_give(who: &Principal, permissions: Permissions) -> Result<()> {
    let lacking = permissions.without(who.permissions);
    if lacking.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = lacking.names().collect();
    Err(Error::forbidden(format!("You cannot give what you do not have: {}", names.join(", "))))
}

/// Whether somebody may give or take a role, or change what it is: one that stands below their own. Administrators may all.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn is_below(who: &Principal, role: Role) -> Result<()> {
    if who.is_admin() || role < who.roles.highest() {
        return Ok(());
    }
    Err(Error::forbidden(format!("The role {} does not stand below yours", role.name())))
}

/// Whether somebody may act against another: one who stands below them. Administrators may against each other.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn is_above(who: &Principal, other: &Roles) -> Result<()> {
    if who.is_admin() || other.highest() < who.roles.highest() {
        return Ok(());
    }
    Err(Error::forbidden("They do not stand below you"))
}
