//! Signing up and signing in.

use actix_web::{HttpRequest, http::StatusCode, post, web};
use domain::identity::{self, NewUser, Verification};

use super::{
    dto::{
        factors::PendingSignIn,
        registration::{Registration, registration},
        session::{LoginRequest, Session, credentials},
        user::UserView,
    },
    factors::admitted,
    origin::Origin,
    sessions::{client, from_own_page},
};
use crate::{
    Answer, Services, Shared,
    body::JsonBody,
    done::Done,
    idempotency::{Keyed, reply},
};

/// Signs a person up.
#[utoipa::path(
    tag = "auth",
    request_body = Registration,
    params(Keyed),
    responses(
        (status = 201, description = "Signed up", body = UserView, headers(("Location" = String, description = "Where to read oneself"))),
        (status = 202, description = "Where addresses must be proven: a letter is on its way, whether the address was free or not", body = Done),
        (status = 409, description = "The address is taken; not told where addresses must be proven"),
        Keyed,
    )
)]
#[post("/api/v1/auth/register")]
pub async fn register(services: Shared, from: Origin, keyed: Keyed, body: JsonBody) -> Answer {
    sign_up(services, from, keyed, body).await
}

async fn sign_up(services: Shared, from: Origin, keyed: Keyed, body: JsonBody) -> Answer {
    let new: NewUser = body.read(|fields| {
        let input = registration(fields);
        input.check(&mut fields.violations)
    })?;
    if services.mailroom.verification != Verification::Off {
        return sign_up_unseen(&services, from, keyed, &body, new).await;
    }
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

/// The same answer for everybody (ruling R36).
async fn sign_up_unseen(services: &Services, from: Origin, keyed: Keyed, body: &JsonBody, new: NewUser) -> Answer {
    from.throttle(services).letter(new.email()).await?;
    let render = |(): &()| reply(StatusCode::ACCEPTED, Vec::new(), &Done { success: true });
    let (hasher, room) = (services.hasher.as_ref(), &services.mailroom);
    keyed
        .run(services, "register", body, render, async |once| {
            identity::register_unseen(&services.shop, hasher, room, new, once).await
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
        (status = 202, description = "The account has a second factor, which is to be proved too", body = PendingSignIn),
        (status = 401, description = "Address or password is wrong"),
        (
            status = 403,
            description = "The account is suspended, its address must be proven first, or in cookie mode the page is of another origin",
        ),
    )
)]
#[post("/api/v1/auth/login")]
pub async fn login(services: Shared, from: Origin, request: HttpRequest, body: JsonBody) -> Answer {
    sign_in(services, from, request, body).await
}

async fn sign_in(services: Shared, from: Origin, request: HttpRequest, body: JsonBody) -> Answer {
    let (given, mode) = body.read(|fields| credentials(fields, client(&request)))?;
    from_own_page(&services, &request, mode)?;
    admitted(&services, &from.login(&services).with_password(&services.shop, given).await?, mode)
}

/// The short paths of ruling R4.
pub fn aliases(config: &mut web::ServiceConfig) {
    config.route("/api/auth/register", web::post().to(sign_up)).route("/api/auth/login", web::post().to(sign_in));
}
