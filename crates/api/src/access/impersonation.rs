//! Acting as somebody else, and going back to being oneself.

use actix_web::{HttpRequest, HttpResponse, delete, http::header, post};
use domain::{
    access,
    id::UserId,
    permission::{Impersonate, OwnAccount},
};

use super::dto::impersonation::{ImpersonationBody, ImpersonationView, reason};
use crate::{
    Answer, Shared,
    auth::{Auth, Bearer, Own},
    body::JsonBody,
    cookies::{self, Cookie},
    done::Done,
    fresh::FreshAuth,
    identity::client,
    path::Id,
};

/// Lets an operator act as a person, for a quarter of an hour that cannot be prolonged.
///
/// The token comes the way the caller's own did: in the answer, or as the cookie of the session, which it takes the place of. Every
/// audit entry and log line of what is done with it names both. It ends before its time with the session it was begun from, when the
/// operator loses a role, and when the person is banned or ends it: they see it among their sessions. Passwords, addresses, sessions,
/// keys, roles and members cannot be changed with it.
#[utoipa::path(
    tag = "users",
    request_body = ImpersonationBody,
    params(Id<UserId>),
    responses(
        (status = 200, description = "One acts as the person", body = ImpersonationView, headers(
            ("Set-Cookie" = String, description = "For a caller with cookies, the token"),
        )),
        (status = 403, description = "The role is too low, or they may do what one may not"),
        (status = 404, description = "No such person"),
        (status = 409, description = "It is oneself, or they are banned"),
    ),
    security(("bearer" = ["users:impersonate"]))
)]
#[post("/api/v1/users/{id}/impersonation")]
pub async fn impersonate_user(
    auth: FreshAuth<Impersonate>,
    services: Shared,
    request: HttpRequest,
    id: Id<UserId>,
    body: JsonBody,
) -> Answer {
    let reason = body.read(reason)?;
    let https = services.settings.https;
    let (shop, sessions) = (&services.shop, &services.sessions);
    let acting = access::impersonate(shop, sessions, &auth.0, id.0, &reason, &client(&request)).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if !matches!(Bearer::of(request.headers(), https), Bearer::Cookie(_)) {
        return Ok(response.json(ImpersonationView::bearer(&acting)));
    }
    let mut response = response.json(ImpersonationView::cookie(&acting));
    cookies::lend(&mut response, &acting.token, services.shop.now(), https)?;
    Ok(response)
}

/// Goes back to being oneself. A page with cookies gets its own session back by `POST /api/v1/auth/refresh`.
#[utoipa::path(
    tag = "auth",
    responses(
        (status = 200, description = "One acts as nobody else any more", body = Done),
        (status = 409, description = "One acts as nobody else"),
    ),
    security(("bearer" = ["account:own"]))
)]
#[delete("/api/v1/auth/impersonation")]
pub async fn stop_impersonation(_auth: Auth<OwnAccount>, own: Own, services: Shared, request: HttpRequest) -> Answer {
    access::stop_impersonation(&services.shop, own.0).await?;
    let mut response = HttpResponse::Ok().json(Done { success: true });
    cookies::give_up(&mut response, request.headers(), Cookie::Session, services.settings.https)?;
    Ok(response)
}
