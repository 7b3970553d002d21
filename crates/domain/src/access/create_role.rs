//! Making a role.

use super::{NewRole, StoredRole, events, policy};
use crate::{
    catalog::Version,
    error::{Error, Result},
    id::RoleId,
    idempotency::{Once, Outcome},
    permission::{Authorized, ManageRoles},
    shop::Shop,
};

/// Makes a role between user and admin.
///
/// # Errors
/// [`Error::Forbidden`] for what one may not do oneself, or a place that is not below one's own; [`Error::Conflict`] when the
/// name is taken.
pub async fn create_role(
    shop: &Shop,
    by: Authorized<ManageRoles>,
    new: NewRole,
    once: &Once<'_, StoredRole>,
) -> Result<Outcome<StoredRole>> {
    let who = by.principal();
    policy::is_below(who, new.role)?;
    policy::may_give(who, new.permissions)?;
    shop.write_once("create_role", once, |mut tx| async move {
        let now = tx.now();
        let role = StoredRole {
            id: shop.id::<RoleId>(),
            role: new.role,
            own: Some(new.permissions),
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        };
        if !tx.roles().insert(&role).await? {
            return Err(Error::conflict(format!("There is a role {} already", role.role.name())));
        }
        shop.record(&mut *tx, Some(who.user), events::role_created(&role)).await?;
        tx.commit(role).await
    })
    .await
}
