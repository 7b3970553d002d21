//! The sessions of a person as operators see them.

use chrono::{DateTime, Utc};
use domain::identity::StoredSession;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::impersonation::ActedBy;

/// A session of a person, as operators see it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonSession {
    /// Its id.
    pub id: Uuid,
    /// What it is used with, as far as it says.
    #[schema(example = "Firefox on Linux")]
    pub device: Option<String>,
    /// The address it was last used from.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// The operator who acts as the person in it; null when it is theirs.
    pub acted_by: Option<ActedBy>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used to get a token.
    pub last_used_at: DateTime<Utc>,
    /// Without use it is over then.
    pub expires_at: DateTime<Utc>,
}

impl From<StoredSession> for PersonSession {
    fn from(session: StoredSession) -> Self {
        Self {
            id: session.id.0,
            device: session.client.device,
            address: session.client.address,
            acted_by: session.impersonation.map(ActedBy::from),
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.idle_until,
        }
    }
}
