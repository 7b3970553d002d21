//! What is answered when there is nothing to show.

use serde::Serialize;
use utoipa::ToSchema;

/// That something was done and left nothing to show.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    /// Always true.
    #[schema(example = true)]
    pub success: bool,
}
