//! Signing in as JSON: what is sent and what is given.

use chrono::{DateTime, Utc};
use domain::identity::{Client, Credentials, Password, SignedIn, StoredSession};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::user::UserView;
use crate::{access::dto::impersonation::ActedBy, body::Fields};

/// What signs a person in.
#[derive(Debug, ToSchema)]
pub struct LoginRequest {
    /// Their address.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// Their password.
    #[schema(example = "correct horse battery", format = Password)]
    pub password: String,
    /// How the tokens come back: `bearer`, which is the default, in the answer; `cookie` in cookies that scripts cannot read.
    #[schema(example = "bearer")]
    pub mode: Option<Mode>,
}

/// How tokens come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// In the answer; sent as `Authorization: Bearer`.
    #[default]
    Bearer,
    /// In cookies.
    Cookie,
}

impl Mode {
    fn named(name: &str) -> Option<Self> {
        match name {
            "bearer" => Some(Self::Bearer),
            "cookie" => Some(Self::Cookie),
            _ => None,
        }
    }
}

/// How the tokens are to come back.
pub(super) fn mode(fields: &mut Fields<'_>) -> Mode {
    fields.choice("mode", Mode::named, "bearer, cookie").unwrap_or_default()
}

/// Reads a [`LoginRequest`] of this client.
pub fn credentials(fields: &mut Fields<'_>, client: Client) -> Option<(Credentials, Mode)> {
    let (email, password) = (fields.text("email"), fields.text("password"));
    let mode = mode(fields);
    if email.is_none() {
        fields.violations.missing::<()>("/email");
    }
    if password.is_none() {
        fields.violations.missing::<()>("/password");
    }
    Some((Credentials { email: email?, password: Password::given(password?), client }, mode))
}

/// What goes on with a session.
#[derive(Debug, ToSchema)]
#[schema(as = Refresh)]
#[serde(rename_all = "camelCase")]
pub struct RefreshRequest {
    /// The last refresh token that was given. Without one the cookie counts.
    #[schema(example = "souk_rt_0190f5fe7c007a0080000123456789ab…")]
    pub refresh_token: Option<String>,
}

/// Reads a [`RefreshRequest`].
pub fn refresh(fields: &mut Fields<'_>) -> Option<Option<String>> {
    Some(fields.text("refreshToken"))
}

/// A person signed in. In cookie mode the tokens are in cookies, and `csrfToken` is sent as `X-CSRF-Token` with every change.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Sent as `Authorization: Bearer <token>` from now on; absent in cookie mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIuLi4ifQ.c2ln")]
    pub token: Option<String>,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// When the token ends.
    pub expires_at: DateTime<Utc>,
    /// With what `POST /api/v1/auth/refresh` gives the next token, once; absent in cookie mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "souk_rt_0190f5fe7c007a0080000123456789ab…")]
    pub refresh_token: Option<String>,
    /// Until when it does, unless the session ends before.
    pub refresh_expires_at: DateTime<Utc>,
    /// The session, which the token names as `sid`.
    pub session_id: Uuid,
    /// In cookie mode, what every change is sent with as `X-CSRF-Token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub csrf_token: Option<String>,
    /// Who signed in.
    pub user: UserView,
}

impl Session {
    /// What a client that keeps its tokens is told.
    pub fn bearer(signed: &SignedIn) -> Self {
        let (token, refresh_token) = (Some(signed.token.token.clone()), Some(signed.refresh.clone()));
        Self { token, refresh_token, ..Self::cookie(signed, None) }
    }

    /// What a page is told whose browser keeps the tokens.
    pub fn cookie(signed: &SignedIn, csrf_token: Option<String>) -> Self {
        Self {
            token: None,
            token_type: "Bearer",
            expires_at: signed.token.expires_at,
            refresh_token: None,
            refresh_expires_at: signed.refresh_until,
            session_id: signed.session.0,
            csrf_token,
            user: UserView::from(&signed.profile),
        }
    }
}

/// A session of a person, as they see it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActiveSession {
    /// Its id.
    pub id: Uuid,
    /// What it is used with, as far as it says.
    #[schema(example = "Firefox on Linux")]
    pub device: Option<String>,
    /// The address it was last used from.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// Whether it is the one this request was made with.
    pub current: bool,
    /// The operator who acts as the person in it; null when it is one's own.
    pub acted_by: Option<ActedBy>,
    /// When the person signed in.
    pub created_at: DateTime<Utc>,
    /// When they last proved who they are: then, or anew since.
    pub authenticated_at: DateTime<Utc>,
    /// By what they did.
    #[schema(example = json!(["password", "totp"]), value_type = Vec<String>)]
    pub methods: Vec<&'static str>,
    /// When it was last used to get a token.
    pub last_used_at: DateTime<Utc>,
    /// Without use it is over then.
    pub expires_at: DateTime<Utc>,
}

impl ActiveSession {
    /// The view of a session; `current` is the one that asks.
    pub fn new(session: StoredSession, current: domain::id::SessionId) -> Self {
        Self {
            id: session.id.0,
            device: session.client.device,
            address: session.client.address,
            current: session.id == current,
            acted_by: session.impersonation.map(ActedBy::from),
            created_at: session.created_at,
            authenticated_at: session.authenticated_at,
            methods: session.methods.names().collect(),
            last_used_at: session.last_used_at,
            expires_at: session.idle_until,
        }
    }
}
