//! Signing in without saying who one is, and saying it later.

use actix_web::{HttpRequest, HttpResponse, post};
use domain::{
    identity::{NewUser, Promoted, Promotion, enter_as_guest, outside::promote_with_provider},
    permission::OwnAccount,
};

use super::{
    dto::{
        provider::{ProviderLoginRequest, provider_login},
        registration::{GuestEntry, GuestPromotion, guest_entry, guest_promotion},
        session::Session,
    },
    origin::Origin,
    sessions::{client, from_own_page, signed_in},
};
use crate::{Answer, Shared, auth::Auth, body::JsonBody, done::Done};

/// Signs somebody in who says nothing of themselves: a guest, with an account of their own that lasts 90 days (`identity.guest_days`)
/// unless they say who they are.
///
/// The session is the only way into it. A guest reads, listens and keeps what they gather; whatever else a user may they may too once
/// they became one, by `POST /api/v1/auth/anonymous/promotion`. The body may be `{}`.
#[utoipa::path(
    tag = "auth",
    request_body = GuestEntry,
    responses(
        (status = 200, description = "Signed in, with the role guest", body = Session, headers(
            ("Set-Cookie" = String, description = "In cookie mode, the tokens"),
        )),
        (status = 403, description = "The shop takes no guests, or in cookie mode the page is of another origin"),
    )
)]
#[post("/api/v1/auth/anonymous")]
pub async fn login_anonymously(services: Shared, request: HttpRequest, body: JsonBody) -> Answer {
    let mode = body.read(guest_entry)?;
    from_own_page(&services, &request, mode)?;
    signed_in(&services, &enter_as_guest(&services.shop, &services.sessions, &client(&request)).await?, mode)
}

/// Makes a guest a user, with an address and a password. The id stays, and with it all that is theirs.
///
/// The session they came with is over, and the answer brings another. Where addresses must be proven, they become a user when they
/// follow the link of a letter, and sign in then; whether the address was free is told by the letter alone.
#[utoipa::path(
    tag = "auth",
    request_body = GuestPromotion,
    responses(
        (status = 200, description = "They are a user, signed in anew", body = Session, headers(
            ("Set-Cookie" = String, description = "In cookie mode, the tokens"),
        )),
        (status = 202, description = "Where addresses must be proven: a letter is on its way, whether the address was free or not", body = Done),
        (status = 409, description = "The caller is no guest, or the address is taken"),
    ),
    security(("bearer" = ["account:own"]))
)]
#[post("/api/v1/auth/anonymous/promotion")]
pub async fn promote_guest(
    auth: Auth<OwnAccount>,
    services: Shared,
    from: Origin,
    request: HttpRequest,
    body: JsonBody,
) -> Answer {
    let (new, mode): (NewUser, _) = body.read(guest_promotion)?;
    from_own_page(&services, &request, mode)?;
    let with = Promotion {
        hasher: services.hasher.as_ref(),
        sessions: &services.sessions,
        room: &services.mailroom,
        throttle: from.throttle(&services),
    };
    match domain::identity::promote_guest(&services.shop, with, &auth.0, &new, &client(&request)).await? {
        Promoted::In(signed) => signed_in(&services, &signed, mode),
        Promoted::ByLetter => Ok(HttpResponse::Accepted().json(Done { success: true })),
    }
}

/// Makes a guest a user who signs in with a provider, with the code that their browser brought back, once. The id stays; the session
/// they came with is over, and the answer brings another.
#[utoipa::path(
    tag = "auth",
    request_body = ProviderLoginRequest,
    responses(
        (status = 200, description = "They are a user, signed in anew", body = Session, headers(
            ("Set-Cookie" = String, description = "In cookie mode, the tokens"),
        )),
        (status = 409, description = "The caller is no guest, or the identity or its address is another account's: sign in to that"),
        (status = 422, description = "The code is unknown, was used or has ended, or another page began it"),
    ),
    security(("bearer" = ["account:own"]))
)]
#[post("/api/v1/auth/anonymous/promotion/oauth")]
pub async fn promote_guest_with_provider(
    auth: Auth<OwnAccount>,
    services: Shared,
    request: HttpRequest,
    body: JsonBody,
) -> Answer {
    let (given, mode) = body.read(|fields| provider_login(fields, client(&request)))?;
    from_own_page(&services, &request, mode)?;
    let (gate, verification) = (&services.outside.gate, services.mailroom.verification);
    let signed = promote_with_provider(&services.shop, gate, &services.sessions, verification, &auth.0, &given).await?;
    signed_in(&services, &signed, mode)
}
