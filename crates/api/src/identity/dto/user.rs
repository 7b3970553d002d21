//! A person as JSON.

use chrono::{DateTime, Utc};
use domain::{
    id::SellerId,
    identity::{Profile, User},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A person, as they see themselves.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    /// Their id.
    pub id: Uuid,
    /// Their address.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// Whether they have proven that the address is theirs.
    #[schema(example = true)]
    pub email_verified: bool,
    /// The name they go by.
    #[schema(example = "Ada")]
    pub name: String,
    /// Their highest role: user, seller, admin, or one that was made.
    #[schema(example = "seller")]
    pub role: String,
    /// All their roles.
    #[schema(example = json!(["user", "seller"]))]
    pub roles: Vec<String>,
    /// The seller account they act for, when they are a member of one alone.
    pub seller_id: Option<Uuid>,
    /// When they signed up.
    pub created_at: DateTime<Utc>,
    /// When the record was last changed.
    pub updated_at: DateTime<Utc>,
}

impl UserView {
    /// The view of a person with their seller account.
    pub fn new(user: &User, seller: Option<SellerId>) -> Self {
        Self {
            id: user.id.0,
            email: user.email.as_str().to_owned(),
            email_verified: user.email_verified_at.is_some(),
            name: user.name.clone(),
            role: user.roles.highest().name().to_owned(),
            roles: user.roles.iter().map(|role| role.name().to_owned()).collect(),
            seller_id: seller.map(|seller| seller.0),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl From<&Profile> for UserView {
    fn from(profile: &Profile) -> Self {
        Self::new(&profile.user, profile.seller)
    }
}
