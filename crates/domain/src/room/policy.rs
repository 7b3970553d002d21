//! Who may be in a room, write in it and keep order in it.

use super::{Room, RoomKind, RoomRole, Standing};
use crate::{
    actor::Principal,
    clock::Timestamp,
    error::{Error, Result},
    permission::ManageRooms,
};

/// The answer to whoever may not know of a room.
pub(super) fn unknown() -> Error {
    Error::NotFound("Room")
}

/// Whether somebody may be in a room and read in it.
///
/// # Errors
/// [`Error::NotFound`] for a private room of others, [`Error::Forbidden`] for who is banned.
pub fn may_enter(who: Option<&Principal>, room: &Room, standing: &Standing) -> Result<()> {
    let admin = who.is_some_and(Principal::may::<ManageRooms>);
    if admin {
        return Ok(());
    }
    if room.kind == RoomKind::Private && standing.role.is_none() {
        return Err(unknown());
    }
    match standing.ban {
        Some(until) => Err(Error::forbidden(format!("You are banned from this room{}", ending(until)))),
        None => Ok(()),
    }
}

/// Whether somebody may write in a room.
///
/// # Errors
/// Those of [`may_enter`], [`Error::Forbidden`] for who is muted.
pub fn may_write(who: &Principal, room: &Room, standing: &Standing) -> Result<()> {
    may_enter(Some(who), room, standing)?;
    match standing.mute {
        Some(until) if !who.may::<ManageRooms>() => {
            Err(Error::forbidden(format!("You are muted in this room{}", ending(until))))
        }
        _ => Ok(()),
    }
}

/// Whether somebody may keep order in a room: its owner, its moderators and administrators.
///
/// # Errors
/// Those of [`may_enter`], [`Error::Forbidden`] for others.
pub fn may_moderate(who: &Principal, room: &Room, standing: &Standing) -> Result<()> {
    may_enter(Some(who), room, standing)?;
    if rank(who, standing) >= Some(RoomRole::Moderator) {
        Ok(())
    } else {
        Err(Error::forbidden("Only moderators of this room may do this"))
    }
}

/// Whether somebody may change and delete a room: its owner and administrators.
///
/// # Errors
/// Those of [`may_enter`], [`Error::Forbidden`] for others.
pub fn may_own(who: &Principal, room: &Room, standing: &Standing) -> Result<()> {
    may_enter(Some(who), room, standing)?;
    if rank(who, standing) >= Some(RoomRole::Owner) {
        Ok(())
    } else {
        Err(Error::forbidden("Only the owner of this room may do this"))
    }
}

/// Whether somebody who may moderate may do so to another: one who stands below them.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn is_above(who: &Principal, standing: &Standing, other: &Standing) -> Result<()> {
    if who.may::<ManageRooms>() && other.role != Some(RoomRole::Owner) || rank(who, standing) > other.role {
        Ok(())
    } else {
        Err(Error::forbidden("They do not stand below you in this room"))
    }
}

/// Administrators are as good as owners.
fn rank(who: &Principal, standing: &Standing) -> Option<RoomRole> {
    if who.may::<ManageRooms>() { Some(RoomRole::Owner) } else { standing.role }
}

fn ending(until: Option<Timestamp>) -> String {
    until.map_or_else(String::new, |until| format!(" until {}", until.format("%Y-%m-%dT%H:%M:%SZ")))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        id::UserId,
        permission::{Role, Roles},
        room::{Epoch, GLOBAL, RoomName},
    };

    fn person(role: Role) -> Principal {
        Principal::delivered(UserId(Uuid::nil()), Roles::new([Role::User, role]))
    }

    fn room(kind: RoomKind) -> Room {
        let at = Timestamp::UNIX_EPOCH;
        Room {
            id: GLOBAL,
            name: RoomName::parse("lamps").unwrap(),
            title: "Lamps".to_owned(),
            kind,
            owner: None,
            last_offset: 0,
            epoch: Epoch("0".to_owned()),
            version: crate::catalog::Version::FIRST,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn a_private_room_is_unknown_to_others_and_a_banned_person_is_told_so() {
        let (user, admin) = (person(Role::User), person(Role::Admin));
        let (open, closed) = (room(RoomKind::Public), room(RoomKind::Private));
        let none = Standing::default();
        let member = Standing { role: Some(RoomRole::Member), ..Standing::default() };
        let banned = Standing { ban: Some(None), ..member.clone() };
        assert!(may_enter(None, &open, &none).is_ok());
        assert!(matches!(may_enter(None, &closed, &none), Err(Error::NotFound("Room"))));
        assert!(matches!(may_enter(Some(&user), &closed, &none), Err(Error::NotFound("Room"))));
        assert!(may_enter(Some(&user), &closed, &member).is_ok());
        assert!(may_enter(Some(&admin), &closed, &none).is_ok());
        assert!(matches!(may_enter(Some(&user), &closed, &banned), Err(Error::Forbidden(_))));
        // A ban does not tell strangers of a private room.
        let stranger = Standing { ban: Some(None), ..Standing::default() };
        assert!(matches!(may_enter(Some(&user), &closed, &stranger), Err(Error::NotFound(_))));
    }

    #[test]
    fn who_is_muted_listens() {
        let user = person(Role::User);
        let muted = Standing { mute: Some(Some(Timestamp::UNIX_EPOCH)), ..Standing::default() };
        let open = room(RoomKind::Public);
        assert!(may_enter(Some(&user), &open, &muted).is_ok());
        let refused = may_write(&user, &open, &muted).unwrap_err();
        assert_eq!(refused.to_string(), "You are muted in this room until 1970-01-01T00:00:00Z");
    }

    #[test]
    fn order_is_kept_downwards_only() {
        let (user, admin) = (person(Role::User), person(Role::Admin));
        let open = room(RoomKind::Public);
        let as_role = |role| Standing { role, ..Standing::default() };
        let [none, member, moderator, owner] =
            [None, Some(RoomRole::Member), Some(RoomRole::Moderator), Some(RoomRole::Owner)].map(as_role);
        assert!(may_moderate(&user, &open, &member).is_err() && may_moderate(&user, &open, &none).is_err());
        assert!(may_moderate(&user, &open, &moderator).is_ok() && may_own(&user, &open, &moderator).is_err());
        assert!(may_own(&user, &open, &owner).is_ok() && may_own(&admin, &open, &none).is_ok());
        assert!(is_above(&user, &moderator, &none).is_ok() && is_above(&user, &moderator, &member).is_ok());
        assert!(is_above(&user, &moderator, &moderator).is_err() && is_above(&user, &moderator, &owner).is_err());
        assert!(is_above(&user, &owner, &moderator).is_ok());
        assert!(is_above(&admin, &none, &moderator).is_ok() && is_above(&admin, &none, &owner).is_err());
    }
}
