//! Signing in as JSON: what is sent and what is given.

use chrono::{DateTime, Utc};
use domain::identity::{Credentials, Password, SignedIn};
use serde::Serialize;
use utoipa::ToSchema;

use super::user::UserView;
use crate::body::Fields;

/// What signs a person in.
#[derive(Debug, ToSchema)]
pub struct LoginRequest {
    /// Their address.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// Their password.
    #[schema(example = "correct horse battery", format = Password)]
    pub password: String,
}

/// Reads a [`LoginRequest`].
pub fn credentials(fields: &mut Fields<'_>) -> Option<Credentials> {
    let (email, password) = (fields.text("email"), fields.text("password"));
    if email.is_none() {
        fields.violations.missing::<()>("/email");
    }
    if password.is_none() {
        fields.violations.missing::<()>("/password");
    }
    Some(Credentials { email: email?, password: Password::given(password?) })
}

/// A person signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Sent as `Authorization: Bearer <token>` from now on.
    #[schema(example = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIuLi4ifQ.c2ln")]
    pub token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// When the token ends.
    pub expires_at: DateTime<Utc>,
    /// Who signed in.
    pub user: UserView,
}

impl From<SignedIn> for Session {
    fn from(signed: SignedIn) -> Self {
        Self {
            user: UserView::from(&signed.profile),
            token: signed.token.token,
            token_type: "Bearer",
            expires_at: signed.token.expires_at,
        }
    }
}
