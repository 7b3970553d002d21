//! What signs a person up, and a guest in, as JSON.

use domain::identity::{NewUser, UserInput};
use utoipa::ToSchema;

use super::session::{Mode, mode};
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

/// What signs a guest in.
#[derive(Debug, ToSchema)]
pub struct GuestEntry {
    /// How the tokens come back, as with a password.
    #[schema(example = "bearer")]
    pub mode: Option<Mode>,
}

/// Reads a [`GuestEntry`].
pub fn guest_entry(fields: &mut Fields<'_>) -> Option<Mode> {
    Some(mode(fields))
}

/// What makes a guest a user.
#[derive(Debug, ToSchema)]
pub struct GuestPromotion {
    /// Their address.
    #[schema(example = "ada@example.com", format = Email, max_length = 255)]
    pub email: String,
    /// The password they choose.
    #[schema(example = "correct horse battery", min_length = 8, max_length = 1024, format = Password, pattern = r"^[^\x00]*$")]
    pub password: String,
    /// The name they go by; without one, the part of the address before the `@`.
    #[schema(example = "Ada", min_length = 1, max_length = 100, format = "name")]
    pub name: Option<String>,
    /// How the tokens come back, as with a password.
    #[schema(example = "bearer")]
    pub mode: Option<Mode>,
}

/// Reads a [`GuestPromotion`].
pub fn guest_promotion(fields: &mut Fields<'_>) -> Option<(NewUser, Mode)> {
    let (input, mode) = (registration(fields), mode(fields));
    input.check(&mut fields.violations).map(|new| (new, mode))
}
