//! The sessions of others, for operators.

use actix_web::{FromRequest, HttpRequest, HttpResponse, delete, dev::Payload, get};
use domain::{
    Error, access,
    id::{SessionId, UserId},
    permission::ManageUsers,
};
use serde_json::json;
use std::future::{Ready, ready};
use utoipa::{
    IntoParams,
    openapi::path::{Parameter, ParameterIn},
};

use super::dto::session::PersonSession;
use crate::{
    Answer, Shared,
    auth::Auth,
    done::Done,
    page::{PageParams, PageView},
    path::{Id, uuid},
    problem::{In, Problem},
    query::Params,
};

/// Lists the sessions of a person, the one used last first.
#[utoipa::path(
    tag = "users",
    params(Id<UserId>, PageParams),
    responses(
        (status = 200, description = "The sessions", body = PageView<PersonSession>),
        (status = 404, description = "No such person"),
    ),
    security(("bearer" = ["users:manage"]))
)]
#[get("/api/v1/users/{id}/sessions")]
pub async fn list_user_sessions(
    _auth: Auth<ManageUsers>,
    services: Shared,
    id: Id<UserId>,
    page: Params<PageParams>,
) -> Answer {
    services.access.people.person(id.0).await?.ok_or(Error::NotFound("User"))?;
    let found = services.session_list.live(id.0, services.shop.now(), page.0.request()).await?;
    let view = PageView::from(found.map(PersonSession::from));
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(view))
}

/// Ends a session of a person, at once and on every server.
#[utoipa::path(
    tag = "users",
    params(Id<UserId>, TheirSession),
    responses(
        (status = 200, description = "It is ended", body = Done),
        (status = 404, description = "No such person, or they have no such session"),
    ),
    security(("bearer" = ["users:manage"]))
)]
#[delete("/api/v1/users/{id}/sessions/{sessionId}")]
pub async fn end_user_session(
    auth: Auth<ManageUsers>,
    services: Shared,
    id: Id<UserId>,
    session: TheirSession,
) -> Answer {
    access::end_session(&services.shop, &auth.0, id.0, session.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

/// Ends all sessions of a person, at once and on every server.
#[utoipa::path(
    tag = "users",
    params(Id<UserId>),
    responses(
        (status = 200, description = "They are ended", body = Done),
        (status = 404, description = "No such person"),
    ),
    security(("bearer" = ["users:manage"]))
)]
#[delete("/api/v1/users/{id}/sessions")]
pub async fn end_user_sessions(auth: Auth<ManageUsers>, services: Shared, id: Id<UserId>) -> Answer {
    access::end_sessions(&services.shop, &auth.0, id.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

/// The `{sessionId}` of a path.
#[derive(Debug, Clone, Copy)]
pub struct TheirSession(SessionId);

impl FromRequest for TheirSession {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = uuid(request.match_info().query("sessionId"));
        ready(
            given
                .map(|id| Self(SessionId(id)))
                .ok_or_else(|| Problem::broken(In::Path, "sessionId", "uuid", "must be a UUID")),
        )
    }
}

impl IntoParams for TheirSession {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut session = Parameter::new("sessionId");
        session.parameter_in = ParameterIn::Path;
        session.description = Some("The id of the session".to_owned());
        session.schema = serde_json::from_value(json!({ "type": "string", "format": "uuid" })).ok();
        vec![session]
    }
}
