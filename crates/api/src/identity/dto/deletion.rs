//! Deleting oneself, as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// What asks for one's deletion.
#[derive(Debug, ToSchema)]
#[schema(as = NewDeletion)]
#[serde(rename_all = "camelCase")]
pub struct DeletionBody {
    /// The present password; without it one must have proved a short while ago who one is.
    #[schema(example = "correct horse battery", format = Password)]
    pub current_password: Option<String>,
}

/// A deletion to come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deletion)]
#[serde(rename_all = "camelCase")]
pub struct DeletionView {
    /// When it comes.
    pub deletes_at: DateTime<Utc>,
}
