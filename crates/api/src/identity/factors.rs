//! Second factors: authenticator apps, recovery codes, signing in with them, and proving anew who one is.

use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use domain::{
    Error,
    id::UserId,
    identity::{
        Admitted,
        factors::{self, Reauthentication},
    },
    permission::{ChangeAccount, ManageUsers},
};
use serde::Serialize;

use super::{
    by_mail::done,
    dto::{
        factors::{
            Factors, NewRecoveryCodes, PendingSignIn, Reauthenticated, ReauthenticationRequest, SecondFactorRequest,
            TotpCode, TotpEnrolment, reauthentication, second_factor, totp_code,
        },
        session::{Mode, Session},
    },
    origin::Origin,
    sessions::{client, from_own_page, signed_in},
};
use crate::{
    Answer, Services, Shared,
    auth::{Auth, Own},
    body::JsonBody,
    done::Done,
    fresh::FreshAuth,
    path::Id,
};

/// Gives somebody who has proved who they are their tokens, or asks for their second factor: the answer of every way to sign in.
pub(super) fn admitted(services: &Services, admitted: &Admitted, mode: Mode) -> Answer {
    match admitted {
        Admitted::In(signed) => signed_in(services, signed, mode),
        Admitted::Challenged(challenge) => {
            let mut pending = HttpResponse::Accepted();
            Ok(pending.insert_header(("Cache-Control", "no-store")).json(PendingSignIn::from(challenge)))
        }
    }
}

/// What is shown once.
fn shown(view: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(view)
}

/// Signs a person in by their second factor, after a sign-in that was answered with a challenge.
#[utoipa::path(
    tag = "auth",
    request_body = SecondFactorRequest,
    responses(
        (status = 200, description = "Signed in", body = Session, headers(
            ("Set-Cookie" = String, description = "In cookie mode, the tokens"),
        )),
        (status = 401, description = "The code is wrong or was used, or the challenge was used, has ended, or was tried too often"),
        (status = 403, description = "The account is suspended, or in cookie mode the page is of another origin"),
    )
)]
#[post("/api/v1/auth/second-factor")]
pub async fn login_with_second_factor(services: Shared, from: Origin, request: HttpRequest, body: JsonBody) -> Answer {
    let (given, mode) = body.read(|fields| second_factor(fields, client(&request)))?;
    from_own_page(&services, &request, mode)?;
    let (login, room, desk) = (from.login(&services), &services.mailroom, &services.proofs.factors);
    signed_in(&services, &login.with_second_factor(&services.shop, room, desk, given).await?, mode)
}

/// Proves anew, within a session, who one is. Sensitive acts ask for it: they answer 403 with `reason` `fresh_authentication_required`
/// and the `methods` that one has. It takes what signing in takes, where there is a second factor that too.
#[utoipa::path(
    tag = "auth",
    request_body = ReauthenticationRequest,
    responses(
        (status = 200, description = "Sensitive acts are allowed for a while", body = Reauthenticated),
        (status = 403, description = "It was not proved"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[post("/api/v1/auth/reauthenticate")]
pub async fn reauthenticate_session(
    auth: Auth<ChangeAccount>,
    own: Own,
    services: Shared,
    from: Origin,
    body: JsonBody,
) -> Answer {
    let (anew, code) = body.read(reauthentication)?;
    let proofs = &services.proofs;
    let asked = Reauthentication {
        login: from.login(&services),
        room: &services.mailroom,
        factors: &proofs.factors,
        ways: proofs.ways.as_ref(),
        passkeys: &proofs.passkeys,
    };
    let renewed = asked.run(&services.shop, &auth.0, own.0, &anew, code.as_deref()).await?;
    Ok(HttpResponse::Ok().json(Reauthenticated::from(renewed)))
}

/// Reads by what one can prove who one is.
#[utoipa::path(
    tag = "auth",
    responses((status = 200, description = "What there is", body = Factors)),
    security(("bearer" = ["account:change"]))
)]
#[get("/api/v1/users/me/factors")]
pub async fn get_my_factors(auth: Auth<ChangeAccount>, services: Shared) -> Answer {
    let ways = services.proofs.ways.ways(auth.0.principal().user).await?.ok_or(Error::NotFound("User"))?;
    Ok(shown(&Factors::from(ways)))
}

/// Begins to add an authenticator app. Its secret is shown in this answer and never again; a code confirms it. Asks for a fresh proof of
/// who one is.
#[utoipa::path(
    tag = "auth",
    responses(
        (status = 200, description = "The secret", body = TotpEnrolment),
        (status = 409, description = "There is an app already"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[post("/api/v1/users/me/totp")]
pub async fn begin_totp(auth: FreshAuth<ChangeAccount>, services: Shared) -> Answer {
    let enrolment = factors::begin_totp(&services.shop, &services.proofs.factors, &auth.0).await?;
    Ok(shown(&TotpEnrolment::from(enrolment)))
}

/// Confirms the app by a code of it. From here on sign-ins ask for one. The recovery codes are shown in this answer and never again.
#[utoipa::path(
    tag = "auth",
    request_body = TotpCode,
    responses(
        (status = 200, description = "The recovery codes", body = NewRecoveryCodes),
        (status = 409, description = "No app waits to be confirmed"),
        (status = 422, description = "The code is another"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[post("/api/v1/users/me/totp/confirm")]
pub async fn confirm_totp(auth: FreshAuth<ChangeAccount>, services: Shared, from: Origin, body: JsonBody) -> Answer {
    let code = body.read(totp_code)?;
    let (shop, room, desk) = (&services.shop, &services.mailroom, &services.proofs.factors);
    let codes = factors::confirm_totp(shop, room, desk, from.throttle(&services), &auth.0, &code).await?;
    Ok(shown(&NewRecoveryCodes::from(codes)))
}

/// Removes the authenticator app, and the recovery codes with it. Asks for a fresh proof of who one is.
#[utoipa::path(
    tag = "auth",
    responses(
        (status = 200, description = "It is removed", body = Done),
        (status = 404, description = "There is none"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[delete("/api/v1/users/me/totp")]
pub async fn delete_totp(auth: FreshAuth<ChangeAccount>, services: Shared) -> Answer {
    factors::remove_totp(&services.shop, &services.mailroom, &auth.0).await?;
    Ok(done())
}

/// Makes new recovery codes; the older ones are good for nothing any more. Asks for a fresh proof of who one is.
#[utoipa::path(
    tag = "auth",
    responses(
        (status = 200, description = "The codes", body = NewRecoveryCodes),
        (status = 409, description = "There is no authenticator app"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[post("/api/v1/users/me/recovery-codes")]
pub async fn renew_recovery_codes(auth: FreshAuth<ChangeAccount>, services: Shared) -> Answer {
    let codes = factors::renew_recovery_codes(&services.shop, &services.proofs.factors, &auth.0).await?;
    Ok(shown(&NewRecoveryCodes::from(codes)))
}

/// Removes the authenticator app of a person who has lost it, and their recovery codes. Asks for a fresh proof of who one is.
#[utoipa::path(
    tag = "users",
    params(Id<UserId>),
    responses(
        (status = 200, description = "They are removed", body = Done),
        (status = 404, description = "No such person, or they have none"),
    ),
    security(("bearer" = ["users:manage"]))
)]
#[delete("/api/v1/users/{id}/factors")]
pub async fn delete_user_factors(auth: FreshAuth<ManageUsers>, services: Shared, id: Id<UserId>) -> Answer {
    factors::remove_factors_of(&services.shop, &services.mailroom, &auth.0, id.0).await?;
    Ok(done())
}
