//! Archives of what is kept of people as JSON.

use chrono::{DateTime, Utc};
use domain::identity::exports::DataExport;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// How far an archive is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum DataExportState {
    /// It is being made.
    Preparing,
    /// It can be taken away.
    Ready,
}

/// An archive of all that is kept of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DataExport)]
#[serde(rename_all = "camelCase")]
pub struct DataExportView {
    /// Its id.
    pub id: Uuid,
    /// How far it is.
    #[schema(example = "ready")]
    pub state: DataExportState,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// Since when it is ready.
    pub ready_at: Option<DateTime<Utc>>,
    /// When it goes.
    pub expires_at: DateTime<Utc>,
    /// How long it is, when it is ready.
    #[schema(example = 20480, minimum = 0)]
    pub bytes: Option<u64>,
}

impl From<&DataExport> for DataExportView {
    fn from(export: &DataExport) -> Self {
        Self {
            id: export.id.0,
            state: if export.ready.is_some() { DataExportState::Ready } else { DataExportState::Preparing },
            created_at: export.created_at,
            ready_at: export.ready.map(|ready| ready.at),
            expires_at: export.expires_at,
            bytes: export.ready.map(|ready| ready.bytes),
        }
    }
}

/// A ZIP file.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct ArchiveFile(());
