//! Passkeys: one's own, and signing in by one.

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, patch, post};
use domain::{Error, id::PasskeyId, identity::passkeys, permission::ChangeAccount};

use super::{
    by_mail::done,
    dto::{
        passkeys::{
            PasskeyBody, PasskeyCeremony, PasskeyLoginRequest, PasskeyPatchBody, PasskeyView, new_passkey, other_name,
            passkey_login,
        },
        session::Session,
    },
    factors::admitted,
    origin::Origin,
    sessions::{client, from_own_page},
};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    etag::{self, IfNoneMatch},
    fresh::FreshAuth,
    page::{PageParams, PageView},
    path::Id,
    query::Params,
};

/// Begins a sign-in by a passkey, or a proof anew by one. Nobody need be named: the passkey knows whose it is.
#[utoipa::path(
    tag = "auth",
    responses((status = 200, description = "What the browser is to be given", body = PasskeyCeremony))
)]
#[post("/api/v1/auth/passkeys/options")]
pub async fn begin_passkey_login(services: Shared) -> Answer {
    let begun = services.proofs.passkeys.begin_sign_in(&services.shop)?;
    Ok(begun_with(begun))
}

/// Signs a person in by a passkey, which counts as both factors.
#[utoipa::path(
    tag = "auth",
    request_body = PasskeyLoginRequest,
    responses(
        (status = 200, description = "Signed in", body = Session, headers(
            ("Set-Cookie" = String, description = "In cookie mode, the tokens"),
        )),
        (status = 401, description = "The passkey was not accepted, or its ceremony was used or has ended"),
        (status = 403, description = "The account is suspended, its address must be proven first, or in cookie mode the page is of another origin"),
    )
)]
#[post("/api/v1/auth/passkeys")]
pub async fn login_with_passkey(services: Shared, from: Origin, request: HttpRequest, body: JsonBody) -> Answer {
    let (answer, mode) = body.read(passkey_login)?;
    from_own_page(&services, &request, mode)?;
    let (login, desk) = (from.login(&services), &services.proofs.passkeys);
    let signed = login.with_passkey(&services.shop, desk, &answer, &client(&request)).await?;
    admitted(&services, &signed, mode)
}

/// Begins to add a passkey. Asks for a fresh proof of who one is.
#[utoipa::path(
    tag = "auth",
    responses(
        (status = 200, description = "What the browser is to be given", body = PasskeyCeremony),
        (status = 409, description = "There are too many"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[post("/api/v1/users/me/passkeys/options")]
pub async fn begin_passkey(auth: FreshAuth<ChangeAccount>, services: Shared) -> Answer {
    Ok(begun_with(passkeys::begin_passkey(&services.shop, &services.proofs.passkeys, &auth.0).await?))
}

/// Adds a passkey. Asks for a fresh proof of who one is.
#[utoipa::path(
    tag = "auth",
    request_body = PasskeyBody,
    responses(
        (status = 201, description = "The passkey", body = PasskeyView),
        (status = 409, description = "It is known already, or there are too many"),
        (status = 422, description = "It was not accepted, or its ceremony was used or has ended"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[post("/api/v1/users/me/passkeys")]
pub async fn create_passkey(
    auth: FreshAuth<ChangeAccount>,
    services: Shared,
    request: HttpRequest,
    body: JsonBody,
) -> Answer {
    let device = client(&request).device;
    let new = body.read(|fields| new_passkey(fields, device.as_deref().unwrap_or("Passkey")))?;
    let (shop, room, desk) = (&services.shop, &services.mailroom, &services.proofs.passkeys);
    let passkey = passkeys::create_passkey(shop, room, desk, &auth.0, new).await?;
    let location = (header::LOCATION, format!("/api/v1/users/me/passkeys/{}", passkey.id));
    Ok(HttpResponse::Created().insert_header(location).json(PasskeyView::from(&passkey)))
}

/// Lists one's passkeys, the newest first.
#[utoipa::path(
    tag = "auth",
    params(PageParams),
    responses((status = 200, description = "The passkeys", body = PageView<PasskeyView>)),
    security(("bearer" = ["account:change"]))
)]
#[get("/api/v1/users/me/passkeys")]
pub async fn list_passkeys(auth: Auth<ChangeAccount>, services: Shared, page: Params<PageParams>) -> Answer {
    let found = services.proofs.passkey_list.list(auth.0.principal().user, page.0.request()).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|passkey| PasskeyView::from(&passkey)))))
}

/// Reads a passkey.
#[utoipa::path(
    tag = "auth",
    params(Id<PasskeyId>, IfNoneMatch),
    responses(
        (status = 200, description = "The passkey", body = PasskeyView),
        (status = 404, description = "One has no such passkey"),
        IfNoneMatch,
    ),
    security(("bearer" = ["account:change"]))
)]
#[get("/api/v1/users/me/passkeys/{id}")]
pub async fn get_passkey(auth: Auth<ChangeAccount>, services: Shared, id: Id<PasskeyId>, known: IfNoneMatch) -> Answer {
    let found = services.proofs.passkey_list.get(auth.0.principal().user, id.0).await?;
    etag::read(&known, None, &PasskeyView::from(&found.ok_or(Error::NotFound("Passkey"))?))
}

/// Gives a passkey another name.
#[utoipa::path(
    tag = "auth",
    request_body = PasskeyPatchBody,
    params(Id<PasskeyId>),
    responses(
        (status = 200, description = "The passkey", body = PasskeyView),
        (status = 404, description = "One has no such passkey"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[patch("/api/v1/users/me/passkeys/{id}")]
pub async fn rename_passkey(auth: Auth<ChangeAccount>, services: Shared, id: Id<PasskeyId>, body: JsonBody) -> Answer {
    let name = body.read(other_name)?;
    let passkey = passkeys::rename_passkey(&services.shop, &auth.0, id.0, &name).await?;
    Ok(HttpResponse::Ok().json(PasskeyView::from(&passkey)))
}

/// Deletes a passkey. Asks for a fresh proof of who one is.
#[utoipa::path(
    tag = "auth",
    params(Id<PasskeyId>),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "One has no such passkey"),
        (status = 409, description = "It is the only way into the account"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[delete("/api/v1/users/me/passkeys/{id}")]
pub async fn delete_passkey(auth: FreshAuth<ChangeAccount>, services: Shared, id: Id<PasskeyId>) -> Answer {
    let (shop, room, ways) = (&services.shop, &services.mailroom, services.proofs.ways.as_ref());
    passkeys::delete_passkey(shop, room, ways, &auth.0, id.0).await?;
    Ok(done())
}

fn begun_with(begun: passkeys::Begun) -> HttpResponse {
    HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(PasskeyCeremony::from(begun))
}
