//! Acting as somebody else, as JSON.

use chrono::{DateTime, Utc};
use domain::{
    access::{Acting, Reason},
    identity::Impersonation,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{body::Fields, identity::dto::user::UserView};

/// What lets one act as somebody else.
#[derive(Debug, ToSchema)]
#[schema(as = NewImpersonation)]
pub struct ImpersonationBody {
    /// Why; the person sees it.
    #[schema(example = "Ticket 4711: the basket stays empty", min_length = 1, max_length = 500, format = "name")]
    pub reason: String,
}

/// Reads an [`ImpersonationBody`].
pub fn reason(fields: &mut Fields<'_>) -> Option<Reason> {
    match fields.text("reason") {
        Some(text) => fields.violations.check("/reason", Reason::parse(&text)),
        None => fields.violations.missing("/reason"),
    }
}

/// One acts as somebody else.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Impersonation)]
#[serde(rename_all = "camelCase")]
pub struct ImpersonationView {
    /// Sent as `Authorization: Bearer <token>`; absent for a caller with cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIuLi4ifQ.c2ln")]
    pub token: Option<String>,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// When it ends; it cannot be prolonged.
    pub expires_at: DateTime<Utc>,
    /// The session, which the token names as `sid`.
    pub session_id: Uuid,
    /// As whom one acts.
    pub user: UserView,
}

impl ImpersonationView {
    /// What a client that keeps its tokens is told.
    pub fn bearer(acting: &Acting) -> Self {
        Self { token: Some(acting.token.token.clone()), ..Self::cookie(acting) }
    }

    /// What a page is told whose browser keeps the token.
    pub fn cookie(acting: &Acting) -> Self {
        Self {
            token: None,
            token_type: "Bearer",
            expires_at: acting.token.expires_at,
            session_id: acting.session.0,
            user: UserView::from(&acting.profile),
        }
    }
}

/// The operator who acts as somebody in a session of theirs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActedBy {
    /// Who.
    pub user_id: Uuid,
    /// Why.
    #[schema(example = "Ticket 4711: the basket stays empty")]
    pub reason: String,
}

impl From<Impersonation> for ActedBy {
    fn from(acted: Impersonation) -> Self {
        Self { user_id: acted.by.user.0, reason: acted.reason }
    }
}
