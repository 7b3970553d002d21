//! Who may do what in a seller account. To who is no member of it, its inside does not exist.

use super::MemberRole;
use crate::error::{Error, Result};

/// Whether somebody may see who the members of an account are.
///
/// # Errors
/// [`Error::NotFound`] for who is no member.
pub fn may_see(role: Option<MemberRole>) -> Result<MemberRole> {
    role.ok_or(Error::NotFound("Seller"))
}

/// Whether somebody may invite to an account, and take invitations back: its managers and owners.
///
/// # Errors
/// Those of [`may_see`], [`Error::Forbidden`].
pub fn may_invite(role: Option<MemberRole>) -> Result<MemberRole> {
    match may_see(role)? {
        MemberRole::Member => Err(Error::forbidden("Only managers and owners of this seller account may do this")),
        role => Ok(role),
    }
}

/// Whether somebody may do what only owners of an account may.
///
/// # Errors
/// Those of [`may_see`], [`Error::Forbidden`].
pub fn may_own(role: Option<MemberRole>) -> Result<MemberRole> {
    match may_see(role)? {
        MemberRole::Owner => Ok(MemberRole::Owner),
        _ => Err(Error::forbidden("Only owners of this seller account may do this")),
    }
}

/// Whether somebody with this role may make a member of that role, or end one: owners all, managers plain members.
///
/// # Errors
/// Those of [`may_invite`], [`Error::Forbidden`].
pub fn may_set(role: Option<MemberRole>, other: MemberRole) -> Result<()> {
    match may_invite(role)? {
        MemberRole::Manager if other > MemberRole::Member => may_own(role).map(|_| ()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_ones_below_it_may() {
        let roles = [None, Some(MemberRole::Member), Some(MemberRole::Manager), Some(MemberRole::Owner)];
        let first = |may: &dyn Fn(Option<MemberRole>) -> bool| roles.map(may);
        assert_eq!(first(&|role| may_see(role).is_ok()), [false, true, true, true]);
        assert_eq!(first(&|role| may_invite(role).is_ok()), [false, false, true, true]);
        assert_eq!(first(&|role| may_own(role).is_ok()), [false, false, false, true]);
        assert_eq!(first(&|role| may_set(role, MemberRole::Member).is_ok()), [false, false, true, true]);
        assert_eq!(first(&|role| may_set(role, MemberRole::Manager).is_ok()), [false, false, false, true]);
        for may in [may_see, may_invite, may_own] {
            assert!(matches!(may(None), Err(Error::NotFound("Seller"))), "a stranger learns nothing");
        }
    }
}
