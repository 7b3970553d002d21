//! Deleting a role.

use super::{events, policy};
use crate::{
    catalog::Version,
    error::{Error, Result},
    permission::{Authorized, ManageRoles, Role},
    shop::Shop,
};

/// Deletes a role that was made; nobody has it any more, at once. With `expected`, only if it has one of those versions.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Stale`]; [`Error::Forbidden`] for one that does not stand below one's own;
/// [`Error::Conflict`] for a built-in one.
pub async fn delete_role(
    shop: &Shop,
    by: Authorized<ManageRoles>,
    name: &str,
    expected: Option<&[Version]>,
) -> Result<()> {
    let who = by.principal();
    shop.write("delete_role", |mut tx| async move {
        let role = tx.roles().find(name).await?.ok_or(Error::NotFound("Role"))?;
        if expected.is_some_and(|any| !any.contains(&role.version)) {
            return Err(Error::Stale("Role"));
        }
        policy::is_below(who, role.role)?;
        if !matches!(role.role, Role::Custom(_)) {
            return Err(Error::conflict("Built-in roles stay"));
        }
        tx.roles().delete(role.id, role.role).await?;
        shop.record(&mut *tx, Some(who.user), events::role_deleted(&role)).await?;
        tx.commit(()).await
    })
    .await
}
