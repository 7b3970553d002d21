//! Proving an address, choosing a new password, and signing in, by letter.
//!
//! What anybody may ask for with somebody's address is answered with 202 whether the address is known or not, after the same
//! work.

use actix_web::{HttpRequest, HttpResponse, post};
use domain::identity;

use super::{
    dto::{
        by_mail::{
            CodeLoginRequest, CodeRequest, LinkRequest, PasswordReset, Token, code_login, code_request, link_request,
            password_reset, token,
        },
        factors::PendingSignIn,
        session::Session,
    },
    factors::admitted,
    origin::Origin,
    sessions::{client, from_own_page},
};
use crate::{Answer, Shared, body::JsonBody, done::Done};

/// Asks for another letter with a link that proves the address of an account.
#[utoipa::path(
    tag = "auth",
    request_body = LinkRequest,
    responses((status = 202, description = "If the address is an account's and not proven, a letter is on its way", body = Done))
)]
#[post("/api/v1/auth/email-verification")]
pub async fn request_email_verification(services: Shared, from: Origin, body: JsonBody) -> Answer {
    let (email, redirect) = body.read(|fields| link_request(fields, &services.mailroom.links))?;
    from.throttle(&services).letter(&email).await?;
    identity::request_verification(&services.shop, &services.mailroom, &email, redirect.as_ref()).await?;
    Ok(sent())
}

/// Proves the address of an account by the link of a letter, once.
#[utoipa::path(
    tag = "auth",
    request_body = Token,
    responses(
        (status = 200, description = "The address is proven", body = Done),
        (status = 422, description = "The link is unknown, was used or has ended"),
    )
)]
#[post("/api/v1/auth/email-verification/confirm")]
pub async fn confirm_email_verification(services: Shared, body: JsonBody) -> Answer {
    let code = body.read(token)?;
    identity::confirm_email(&services.shop, &services.mailroom, &code).await?;
    Ok(done())
}

/// Asks for a letter with a link to choose a new password, good for 30 minutes.
#[utoipa::path(
    tag = "auth",
    request_body = LinkRequest,
    responses((status = 202, description = "If the address is an account's, a letter is on its way", body = Done))
)]
#[post("/api/v1/auth/password-reset")]
pub async fn request_password_reset(services: Shared, from: Origin, body: JsonBody) -> Answer {
    let (email, redirect) = body.read(|fields| link_request(fields, &services.mailroom.links))?;
    from.throttle(&services).letter(&email).await?;
    identity::request_password_reset(&services.shop, &services.mailroom, &email, redirect.as_ref()).await?;
    Ok(sent())
}

/// Chooses a new password by the link of a letter, once.
#[utoipa::path(
    tag = "auth",
    request_body = PasswordReset,
    responses(
        (status = 200, description = "The password is the new one; who signed in with the old one signs in again", body = Done),
        (status = 422, description = "The link is unknown, was used or has ended"),
    )
)]
#[post("/api/v1/auth/password-reset/confirm")]
pub async fn confirm_password_reset(services: Shared, body: JsonBody) -> Answer {
    let (code, new) = body.read(password_reset)?;
    let hasher = services.hasher.as_ref();
    identity::confirm_password_reset(&services.shop, hasher, &services.mailroom, &code, &new).await?;
    Ok(done())
}

/// Gives an account its new address by the link of the letter that was sent to it, once.
#[utoipa::path(
    tag = "auth",
    request_body = Token,
    responses(
        (status = 200, description = "The account has the new address, which is proven", body = Done),
        (status = 409, description = "The address became another account's meanwhile"),
        (status = 422, description = "The link is unknown, was used or has ended"),
    )
)]
#[post("/api/v1/auth/email-change/confirm")]
pub async fn confirm_email_change(services: Shared, body: JsonBody) -> Answer {
    let code = body.read(token)?;
    identity::confirm_email_change(&services.shop, &services.mailroom, &code).await?;
    Ok(done())
}

/// Asks for a letter with a code of eight digits to sign in with, good for 5 minutes and 5 tries.
#[utoipa::path(
    tag = "auth",
    request_body = CodeRequest,
    responses((status = 202, description = "If the address is an account's, a letter is on its way", body = Done))
)]
#[post("/api/v1/auth/sign-in-code")]
pub async fn request_sign_in_code(services: Shared, from: Origin, body: JsonBody) -> Answer {
    let email = body.read(code_request)?;
    from.throttle(&services).letter(&email).await?;
    identity::request_sign_in_code(&services.shop, &services.mailroom, &email).await?;
    Ok(sent())
}

/// Signs a person in with the code of a letter, once.
#[utoipa::path(
    tag = "auth",
    request_body = CodeLoginRequest,
    responses(
        (status = 200, description = "Signed in", body = Session, headers(
            ("Set-Cookie" = String, description = "In cookie mode, the tokens"),
        )),
        (status = 202, description = "The account has a second factor, which is to be proved too", body = PendingSignIn),
        (status = 403, description = "The account is suspended, or in cookie mode the page is of another origin"),
        (status = 401, description = "The code is wrong, was used or has ended, or was tried too often"),
    )
)]
#[post("/api/v1/auth/sign-in-code/login")]
pub async fn login_with_code(services: Shared, from: Origin, request: HttpRequest, body: JsonBody) -> Answer {
    let (given, mode) = body.read(|fields| code_login(fields, client(&request)))?;
    from_own_page(&services, &request, mode)?;
    let signed = from.login(&services).with_code(&services.shop, &services.mailroom, given).await?;
    admitted(&services, &signed, mode)
}

/// The answer to whoever asked for a letter.
pub(super) fn sent() -> HttpResponse {
    HttpResponse::Accepted().json(Done { success: true })
}

/// The answer to what was done.
pub(super) fn done() -> HttpResponse {
    HttpResponse::Ok().json(Done { success: true })
}
