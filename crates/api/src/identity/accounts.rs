//! Signing up and signing in.

use actix_web::{HttpRequest, http::StatusCode, post, web};
use domain::identity::{self, Login, NewUser};

use super::{
    dto::{
        registration::{Registration, registration},
        session::{LoginRequest, Mode, Session, credentials},
        user::UserView,
    },
    sessions::{client, signed_in},
};
use crate::{
    Answer, Shared,
    body::JsonBody,
    csrf,
    idempotency::{Keyed, reply},
    problem::Problem,
};

/// Signs a person up.
#[utoipa::path(
    tag = "auth",
    request_body = Registration,
    params(Keyed),
    responses(
        (status = 201, description = "Signed up", body = UserView, headers(("Location" = String, description = "Where to read oneself"))),
        (status = 409, description = "The address is taken"),
        Keyed,
    )
)]
#[post("/api/v1/auth/register")]
pub async fn register(services: Shared, keyed: Keyed, body: JsonBody) -> Answer {
    sign_up(services, keyed, body).await
}

async fn sign_up(services: Shared, keyed: Keyed, body: JsonBody) -> Answer {
    let new: NewUser = body.read(|fields| {
        let input = registration(fields);
        input.check(&mut fields.violations)
    })?;
    let render = |user: &identity::User| {
        let location = ("Location".to_owned(), "/api/v1/users/me".to_owned());
        reply(StatusCode::CREATED, vec![location], &UserView::new(user, None))
    };
    let hasher = services.hasher.as_ref();
    keyed
        .run(&services, "register", &body, render, async |once| {
            identity::register(&services.shop, hasher, new, once).await
        })
        .await
}

/// Signs a person in with their password. The session lasts until it is ended, or not used for long.
///
/// With `"mode":"cookie"` a browser keeps the tokens: `__Host-souk_session` and `__Host-souk_refresh`, which no script can read, and
/// `__Host-souk_csrf`, which a page sends back as `X-CSRF-Token` with every change (over plain http without `__Host-`).
#[utoipa::path(
    tag = "auth",
    request_body = LoginRequest,
    responses(
        (status = 200, description = "Signed in", body = Session, headers(
            ("Set-Cookie" = String, description = "In cookie mode, the tokens"),
        )),
        (status = 401, description = "Address or password is wrong"),
        (status = 403, description = "In cookie mode: the page is of another origin"),
        (status = 403, description = "The account is suspended"),
    )
)]
#[post("/api/v1/auth/login")]
pub async fn login(services: Shared, request: HttpRequest, body: JsonBody) -> Answer {
    sign_in(services, request, body).await
}

async fn sign_in(services: Shared, request: HttpRequest, body: JsonBody) -> Answer {
    let (given, mode) = body.read(|fields| credentials(fields, client(&request)))?;
    if mode == Mode::Cookie {
        // Or a page of somebody else signs its readers in as it likes.
        csrf::origin(request.method(), request.headers(), &services.settings)
            .map_err(|forged| Problem::new(StatusCode::FORBIDDEN, forged.message()))?;
    }
    let door = Login { users: services.users.as_ref(), hasher: services.hasher.as_ref(), sessions: &services.sessions };
    signed_in(&services, &door.with_password(&services.shop, given).await?, mode)
}

/// The short paths of ruling R4.
pub fn aliases(config: &mut web::ServiceConfig) {
    config.route("/api/auth/register", web::post().to(sign_up)).route("/api/auth/login", web::post().to(sign_in));
}
