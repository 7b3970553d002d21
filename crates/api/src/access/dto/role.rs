//! Roles as JSON.

use chrono::{DateTime, Utc};
use domain::access::{RoleInput, RolePatch, StoredRole};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::permission::PermissionName;
use crate::body::{Fields, Given};

/// A role and what it may do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Role)]
#[serde(rename_all = "camelCase")]
pub struct RoleView {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    #[schema(example = "mentored")]
    pub name: String,
    /// Its place on the ladder of trust: user stands at 0, seller at 40, admin at 100.
    #[schema(example = 20, minimum = 0, maximum = 100, value_type = i32)]
    pub level: u8,
    /// Whether it is one of the three every shop has.
    #[schema(example = false)]
    pub built_in: bool,
    /// What it may do.
    #[schema(example = json!(["account:own", "reviews:write"]), value_type = Vec<PermissionName>)]
    pub permissions: Vec<&'static str>,
    /// How often it was changed, from 1.
    #[schema(example = 1, minimum = 1)]
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<&StoredRole> for RoleView {
    fn from(stored: &StoredRole) -> Self {
        Self {
            id: stored.id.0,
            name: stored.role.name().to_owned(),
            level: stored.role.level(),
            built_in: !matches!(stored.role, domain::permission::Role::Custom(_)),
            permissions: stored.permissions().names().collect(),
            version: stored.version.0,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
        }
    }
}

/// Every role.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Roles)]
pub struct RolesView {
    /// The roles, from least to most.
    pub items: Vec<RoleView>,
}

/// What makes a role.
#[derive(Debug, ToSchema)]
#[schema(as = NewRole)]
pub struct RoleBody {
    /// Its name; it stays.
    #[schema(example = "mentored", min_length = 2, max_length = 32, pattern = "^[a-z][a-z0-9_-]+$")]
    pub name: String,
    /// Its place on the ladder of trust: above user (0), below admin (100).
    #[schema(example = 20, minimum = 1, maximum = 99)]
    pub level: i32,
    /// What it may do, beside what everybody may; nothing that its maker may not.
    #[schema(example = json!(["products:write"]), value_type = Vec<PermissionName>)]
    pub permissions: Vec<String>,
}

/// Reads a [`RoleBody`].
pub fn new_role(fields: &mut Fields<'_>) -> RoleInput {
    RoleInput { name: fields.text("name"), level: fields.integer("level"), permissions: fields.texts("permissions") }
}

/// A change of a role: what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(as = RolePatch)]
pub struct RolePatchBody {
    /// Its place on the ladder; built-in roles stay where they are.
    #[schema(example = 30, minimum = 1, maximum = 99, nullable = false)]
    pub level: Option<i32>,
    /// What it may do from now on; null is what a built-in role may do as delivered, and nothing for another.
    #[schema(example = json!(["products:write"]), value_type = Option<Vec<PermissionName>>)]
    pub permissions: Option<Vec<String>>,
}

/// Reads a [`RolePatchBody`].
pub fn role_patch(fields: &mut Fields<'_>) -> RolePatch {
    fields.of_a_change();
    let mut patch = RolePatch::default();
    if let Some(level) = fields.integer("level") {
        patch.level(level, &mut fields.violations);
    }
    match fields.texts_or_null("permissions") {
        Given::Value(names) => patch.permissions(&names, &mut fields.violations),
        Given::Null => patch.as_delivered(),
        Given::Absent => {}
    }
    patch
}
