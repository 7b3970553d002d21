//! What signs a person up, as JSON.

use domain::identity::UserInput;
use utoipa::ToSchema;

use crate::body::Fields;

/// What signs a person up.
#[derive(Debug, ToSchema)]
pub struct Registration {
    /// Their address.
    #[schema(example = "ada@example.com", format = Email, max_length = 255)]
    pub email: String,
    /// The password they choose.
    #[schema(example = "correct horse battery", min_length = 8, max_length = 1024, format = Password, pattern = r"^[^\x00]*$")]
    pub password: String,
    /// The name they go by; without one, the part of the address before the `@`.
    #[schema(example = "Ada", min_length = 1, max_length = 100, format = "name")]
    pub name: Option<String>,
}

/// Reads a [`Registration`].
pub fn registration(fields: &mut Fields<'_>) -> UserInput {
    UserInput { email: fields.text("email"), password: fields.text("password"), name: fields.text("name") }
}
