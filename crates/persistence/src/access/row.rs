//! Roles, memberships and bans as they come with a person: one text each, so that a person is one row.

use domain::{
    Error, Result,
    access::{Ban, StoredRole},
    clock::Timestamp,
    id::{SellerId, UserId},
    identity::Sellers,
    permission::{Permissions, Role, Roles},
};
use sea_orm::QueryResult;
use uuid::Uuid;

use crate::{engine::Engine, statement::at};

/// The roles of the person `user`, as [`roles`] reads them: `name level permissions`, with `;` between.
pub(crate) fn roles_of(engine: Engine, user: &str) -> String {
    let one = "r.name || ' ' || r.level || ' ' || coalesce(r.permissions, '*')";
    let joined = match engine {
        Engine::Sqlite => format!("group_concat({one}, ';')"),
        Engine::Postgres => format!("string_agg({one}, ';')"),
    };
    format!("(SELECT {joined} FROM user_roles x JOIN roles r ON r.name = x.role WHERE x.user_id = {user})")
}

/// The accounts the person `user` is a member of, as [`sellers`] reads them.
pub(crate) fn sellers_of(engine: Engine, user: &str) -> String {
    let joined = engine.pick("group_concat(hex(x.seller_id), ' ')", "string_agg(x.seller_id::text, ' ')");
    format!("(SELECT {joined} FROM seller_members x WHERE x.user_id = {user})")
}

/// The columns of a ban under the alias `b`, as [`ban`] reads them.
pub(crate) const BAN: &str = "b.user_id, b.until, b.reason, b.by_id, b.created_at";

/// What [`roles_of`] gave: the roles, and what they may do together.
pub(crate) fn roles(row: &QueryResult, index: usize) -> Result<(Roles, Permissions)> {
    let told: Option<String> = at(row, index)?;
    let mut all = Vec::new();
    let mut permissions = Permissions::NONE;
    for one in told.unwrap_or_default().split(';').filter(|one| !one.is_empty()) {
        let (role, own) = role(one).ok_or_else(|| Error::internal(format!("a role is {one:?}")))?;
        permissions = permissions.union(StoredRole::meaning(role, own));
        all.push(role);
    }
    Ok((Roles::new(all), permissions))
}

fn role(text: &str) -> Option<(Role, Option<Permissions>)> {
    let (name, rest) = text.split_once(' ')?;
    let (level, permissions) = rest.split_once(' ')?;
    let own = (permissions != "*").then(|| names(permissions));
    Some((Role::stored(name, level.parse().ok()?)?, own))
}

/// Names between commas. What this version does not know counts for nothing.
pub(crate) fn names(text: &str) -> Permissions {
    Permissions::of_names(text.split(','))
}

/// Permissions as [`names`] reads them.
pub(crate) fn named(permissions: Permissions) -> String {
    permissions.names().collect::<Vec<_>>().join(",")
}

/// What [`sellers_of`] gave.
pub(crate) fn sellers(row: &QueryResult, index: usize) -> Result<Sellers> {
    let told: Option<String> = at(row, index)?;
    let ids = told.unwrap_or_default();
    let read = ids.split(' ').filter(|id| !id.is_empty()).map(|id| Uuid::parse_str(id).map(SellerId));
    Ok(Sellers::new(read.collect::<Result<Vec<_>, _>>().map_err(Error::internal)?))
}

/// The ban whose columns begin at `first`; `None` where they are all NULL.
pub(crate) fn ban(row: &QueryResult, first: usize) -> Result<Option<Ban>> {
    let Some(user) = at::<Option<Uuid>>(row, first)? else { return Ok(None) };
    Ok(Some(Ban {
        user: UserId(user),
        until: at::<Option<Timestamp>>(row, first + 1)?,
        reason: at(row, first + 2)?,
        // A ban that follows from one elsewhere is nobody's.
        by: Some(at::<Uuid>(row, first + 3)?).filter(|by| !by.is_nil()).map(UserId),
        at: at(row, first + 4)?,
    }))
}
