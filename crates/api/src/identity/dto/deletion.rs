//! Deleting oneself, as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// What asks for one's deletion.
#[derive(Debug, ToSchema)]
#[schema(as = NewDeletion)]
#[serde(rename_all = "camelCase")]
pub struct DeletionBody {
    /// The present password, so that a token alone deletes nobody.
    #[schema(example = "correct horse battery", format = Password)]
    pub current_password: String,
}

/// A deletion to come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deletion)]
#[serde(rename_all = "camelCase")]
pub struct DeletionView {
    /// When it comes.
    pub deletes_at: DateTime<Utc>,
}
