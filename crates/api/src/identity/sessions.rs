//! Sessions: going on with one, signing out, and ending others from afar.

use actix_web::{HttpRequest, HttpResponse, delete, get, http::StatusCode, post};
use domain::{
    id::SessionId,
    identity::{self, Client, RefreshToken, SignedIn},
    permission::OwnAccount,
};
use utoipa::IntoParams;

use super::dto::session::{ActiveSession, Mode, RefreshRequest, Session, refresh};
use crate::{
    Answer, Services, Shared,
    auth::{Auth, Own},
    body::JsonBody,
    context::Context,
    cookies::{self, Cookie},
    csrf,
    done::Done,
    page::{PageParams, PageView},
    path::Id,
    problem::{In, Problem},
    query::{Params, Query, Read},
};

/// Where a request comes from.
pub(crate) fn client(request: &HttpRequest) -> Client {
    use actix_web::HttpMessage as _;
    let agent = request.headers().get("user-agent").and_then(|value| value.to_str().ok());
    let address = request.extensions().get::<Context>().map(|context| context.client.to_string());
    Client::new(agent, address)
}

/// Makes sure that a page which is to have cookies is one of ours: else a page of somebody else signs its readers in as it
/// likes.
pub(super) fn from_own_page(services: &Services, request: &HttpRequest, mode: Mode) -> Result<(), Problem> {
    if mode == Mode::Bearer {
        return Ok(());
    }
    csrf::origin(request.method(), request.headers(), &services.settings)
        .map_err(|forged| Problem::new(StatusCode::FORBIDDEN, forged.message()))
}

/// Gives somebody who signed in their tokens, the way they asked for.
pub(super) fn signed_in(services: &Services, signed: &SignedIn, mode: Mode) -> Answer {
    let mut response = HttpResponse::Ok();
    response.insert_header(("Cache-Control", "no-store"));
    if mode == Mode::Bearer {
        return Ok(response.json(Session::bearer(signed)));
    }
    let csrf = csrf::token(services.mac.as_ref(), signed.session);
    let mut response = response.json(Session::cookie(signed, Some(csrf.clone())));
    cookies::give(&mut response, signed, &csrf, services.shop.now(), services.settings.https)?;
    Ok(response)
}

/// Goes on with a session: gives the next access token, and the next refresh token with it.
///
/// A refresh token is good once. Within ten seconds of its use it gives the same successor again, so that tabs may race; later it
/// ends the whole session, since somebody else may have it. A page in cookie mode sends `{}` and its `X-CSRF-Token`.
#[utoipa::path(
    tag = "auth",
    request_body = RefreshRequest,
    params(("X-CSRF-Token" = Option<String>, Header, description = "In cookie mode, the token of the session")),
    responses(
        (status = 200, description = "The next tokens", body = Session),
        (status = 401, description = "The refresh token does not hold; sign in again"),
        (status = 403, description = "In cookie mode: the page is of another origin, or X-CSRF-Token is missing"),
    )
)]
#[post("/api/v1/auth/refresh")]
pub async fn refresh_session(services: Shared, request: HttpRequest, body: JsonBody) -> Answer {
    let https = services.settings.https;
    let (given, mode) = match (body.read(refresh)?, Cookie::Refresh.of(request.headers(), https)) {
        (Some(given), _) => (given, Mode::Bearer),
        (None, Some(cookie)) => (cookie.to_owned(), Mode::Cookie),
        (None, None) => {
            return Err(Problem::broken(In::Body, "/refreshToken", "required", "is required where no cookie is sent"));
        }
    };
    if mode == Mode::Cookie
        && let Some(token) = RefreshToken::parse(&given)
    {
        let (settings, mac) = (&services.settings, services.mac.as_ref());
        csrf::check(request.method(), request.headers(), settings, mac, token.session)
            .map_err(|forged| Problem::new(StatusCode::FORBIDDEN, forged.message()))?;
    }
    match services.sessions.refresh(&services.shop, &given, &client(&request)).await? {
        Some(signed) => signed_in(&services, &signed, mode),
        None => Err(Problem::new(StatusCode::UNAUTHORIZED, "The refresh token does not hold; sign in again")
            .header(actix_web::http::header::WWW_AUTHENTICATE, crate::auth::INVALID_TOKEN)),
    }
}

/// Signs out: ends the session the request is made with. Its tokens hold no more, on any server, from the answer on; its streams and
/// WebSockets end.
#[utoipa::path(
    tag = "auth",
    responses((status = 200, description = "Signed out", body = Done)),
    security(("bearer" = ["account:own"]))
)]
#[post("/api/v1/auth/logout")]
pub async fn logout(auth: Auth<OwnAccount>, own: Own, services: Shared, request: HttpRequest) -> Answer {
    identity::sign_out(&services.shop, &auth.0, own.0).await?;
    let mut response = HttpResponse::Ok().json(Done { success: true });
    cookies::take_back(&mut response, request.headers(), services.settings.https)?;
    Ok(response)
}

/// Lists one's sessions, the one used last first.
#[utoipa::path(
    tag = "auth",
    params(PageParams),
    responses((status = 200, description = "The sessions", body = PageView<ActiveSession>)),
    security(("bearer" = ["account:own"]))
)]
#[get("/api/v1/sessions")]
pub async fn list_sessions(auth: Auth<OwnAccount>, own: Own, services: Shared, page: Params<PageParams>) -> Answer {
    let (user, now) = (auth.0.principal().user, services.shop.now());
    let found = services.session_list.live(user, now, page.0.request()).await?;
    let view = PageView::from(found.map(|session| ActiveSession::new(session, own.0.id)));
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(view))
}

/// Ends one of one's sessions, at once and on every server.
#[utoipa::path(
    tag = "auth",
    params(Id<SessionId>),
    responses(
        (status = 200, description = "It is ended", body = Done),
        (status = 404, description = "One has no such session"),
    ),
    security(("bearer" = ["account:own"]))
)]
#[delete("/api/v1/sessions/{id}")]
pub async fn revoke_session(auth: Auth<OwnAccount>, services: Shared, id: Id<SessionId>) -> Answer {
    identity::revoke_session(&services.shop, &auth.0, id.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

/// Which sessions are kept.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Kept {
    /// `current` keeps the one the request is made with.
    #[param(value_type = Option<String>, pattern = "^current$", example = "current", rename = "except")]
    except_current: bool,
}

impl Read for Kept {
    fn read(query: &mut Query) -> Option<Self> {
        let except = query.parsed("except", "enum", "must be current", |text| (text == "current").then_some(()));
        Some(Self { except_current: except.is_some() })
    }
}

/// Ends all of one's sessions, at once and on every server; with `except=current` all others.
#[utoipa::path(
    tag = "auth",
    params(Kept),
    responses((status = 200, description = "They are ended", body = Done)),
    security(("bearer" = ["account:own"]))
)]
#[delete("/api/v1/sessions")]
pub async fn revoke_sessions(
    auth: Auth<OwnAccount>,
    own: Own,
    services: Shared,
    request: HttpRequest,
    kept: Params<Kept>,
) -> Answer {
    let except = kept.0.except_current.then_some(own.0.id);
    identity::revoke_sessions(&services.shop, &auth.0, except).await?;
    let mut response = HttpResponse::Ok().json(Done { success: true });
    if except.is_none() {
        cookies::take_back(&mut response, request.headers(), services.settings.https)?;
    }
    Ok(response)
}
