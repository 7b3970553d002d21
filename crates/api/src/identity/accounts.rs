//! Signing up and signing in.

use actix_web::{HttpResponse, http::StatusCode, post, web};
use domain::identity::{self, Login, NewUser};

use super::dto::{
    registration::{Registration, registration},
    session::{LoginRequest, Session, credentials},
    user::UserView,
};
use crate::{
    Answer, Shared,
    body::JsonBody,
    idempotency::{Keyed, reply},
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

/// Signs a person in with their password.
#[utoipa::path(
    tag = "auth",
    request_body = LoginRequest,
    responses(
        (status = 200, description = "Signed in", body = Session),
        (status = 401, description = "Address or password is wrong"),
        (status = 403, description = "The account is suspended"),
    )
)]
#[post("/api/v1/auth/login")]
pub async fn login(services: Shared, body: JsonBody) -> Answer {
    sign_in(services, body).await
}

async fn sign_in(services: Shared, body: JsonBody) -> Answer {
    let given = body.read(credentials)?;
    let door =
        Login { users: services.users.as_ref(), hasher: services.hasher.as_ref(), tokens: services.tokens.as_ref() };
    let signed = door.with_password(&services.shop, given).await?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(Session::from(signed)))
}

/// The short paths of ruling R4.
pub fn aliases(config: &mut web::ServiceConfig) {
    config.route("/api/auth/register", web::post().to(sign_up)).route("/api/auth/login", web::post().to(sign_in));
}
