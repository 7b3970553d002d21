//! Changing what a role may do.

use super::{RolePatch, StoredRole, events, policy};
use crate::{
    catalog::Version,
    error::{Error, Result},
    permission::{Authorized, ManageRoles, Permissions, Role, Step},
    shop::Shop,
};

/// Changes a role; it counts at once for everybody who has it. With `expected`, only if it has one of those versions.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`]; [`Error::Forbidden`] for a role that does not stand below one's own, before or after,
/// and for what one may not do oneself; [`Error::Conflict`] for what must stay: all that administrators may, and the places of
/// built-in roles.
pub async fn update_role(
    shop: &Shop,
    by: Authorized<ManageRoles>,
    name: &str,
    patch: RolePatch,
    expected: Option<&[Version]>,
) -> Result<StoredRole> {
    let who = by.principal();
    shop.write("update_role", |mut tx| async move {
        let before = tx.roles().find(name).await?.ok_or(Error::NotFound("Role"))?;
        if expected.is_some_and(|any| !any.contains(&before.version)) {
            return Err(Error::Stale("Role"));
        }
        policy::is_below(who, before.role)?;
        if before.role == Role::Admin {
            return Err(Error::conflict("Administrators may do everything; this role stays as it is"));
        }
        let mut after = before.clone();
        if let Some(level) = patch.level {
            let Role::Custom(step) = before.role else {
                return Err(Error::conflict("Built-in roles stay where they stand"));
            };
            after.role = Role::Custom(Step { level, ..step });
            policy::is_below(who, after.role)?;
        }
        if let Some(permissions) = patch.permissions {
            after.own = match before.role {
                // What was made has nothing it was delivered with.
                Role::Custom(_) => Some(permissions.unwrap_or(Permissions::NONE)),
                _ => permissions,
            };
            policy::may_give(who, after.permissions().without(before.permissions()))?;
        }
        if after == before {
            return tx.commit(before).await;
        }
        after.version = before.version.next();
        after.updated_at = tx.now();
        tx.roles().update(&after).await?;
        shop.record(&mut *tx, Some(who.user), events::role_updated(&before, &after)).await?;
        tx.commit(after).await
    })
    .await
}
