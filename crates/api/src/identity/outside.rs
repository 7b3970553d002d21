//! Signing in with a provider, and what an account is linked to.
//!
//! A page sends its browser to `/start`, the provider sends it to the callback, and that to the page, which redeems what it was
//! given: to sign in, or to link the account of who is signed in. No token stands in an address on the way.

mod browser;
mod callback;
mod parameters;

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, post};
use domain::{
    identity::outside::{self, link_identity as link, unlink_identity as unlink},
    permission::ChangeAccount,
};

pub use self::callback::{ROUTES, callbacks};
use self::{
    browser::Browser,
    parameters::{Beginning, Named},
};
use super::{
    dto::{
        factors::PendingSignIn,
        provider::{
            IdentityList, IdentityView, LinkingRequest, ProviderList, ProviderLoginRequest, linking, provider_login,
        },
        session::Session,
    },
    factors::admitted,
    origin::Origin,
    sessions::{client, from_own_page},
};
use crate::{Answer, Shared, auth::Auth, body::JsonBody, done::Done, fresh::FreshAuth, query::Params};

/// Lists the providers that people may sign in with.
#[utoipa::path(tag = "auth", responses((status = 200, description = "The providers", body = ProviderList)))]
#[get("/api/v1/auth/providers")]
pub async fn list_providers(services: Shared) -> Answer {
    Ok(HttpResponse::Ok().json(ProviderList::of(services.outside.gate.providers.all())))
}

/// Sends a browser to a provider, to sign in there or to link an account.
///
/// It comes back to `redirectUrl` within ten minutes, with `code` in the query, good once and for a minute, or with `error`:
/// `access_denied`, `provider_unavailable` or `provider_error`. `POST /api/v1/auth/oauth/exchange` signs in with the code,
/// `POST /api/v1/users/me/identities` links the account of whoever is signed in.
#[utoipa::path(
    tag = "auth",
    params(Named, Beginning),
    responses(
        (status = 303, description = "To the page of the provider", headers(
            ("Location" = String, description = "The page of the provider"),
            ("Set-Cookie" = String, description = "What tells the browser again when it comes back"),
        )),
        (status = 404, description = "There is no such provider"),
    )
)]
#[get("/api/v1/auth/oauth/{provider}/start")]
pub async fn begin_sign_in(
    services: Shared,
    request: HttpRequest,
    provider: Named,
    asked: Params<Beginning>,
) -> Answer {
    let https = services.settings.https;
    let Beginning { redirect_url, code_challenge } = asked.0;
    let redirect = parameters::redirect(&services.mailroom.links, &redirect_url)?;
    let kept = Browser::of(request.headers(), https);
    let (shop, gate) = (&services.shop, &services.outside.gate);
    let departure = outside::begin_sign_in(shop, gate, &provider.0, &redirect, &code_challenge, kept).await?;
    let mut response = HttpResponse::SeeOther();
    response
        .insert_header((header::LOCATION, departure.to.as_str()))
        .insert_header((header::SET_COOKIE, Browser::line(&departure, https)?))
        .insert_header((header::CACHE_CONTROL, "no-store"));
    Ok(response.finish())
}

/// Signs a person in with the code that their browser brought back from a provider, once.
///
/// Who was never here gets an account. One that is there is linked where both sides know its address to be theirs.
#[utoipa::path(
    tag = "auth",
    request_body = ProviderLoginRequest,
    responses(
        (status = 200, description = "Signed in", body = Session, headers(
            ("Set-Cookie" = String, description = "In cookie mode, the tokens"),
        )),
        (status = 202, description = "The account has a second factor, which is to be proved too", body = PendingSignIn),
        (status = 403, description = "The account is suspended, no address is proven where one must be, or in cookie mode the page is of another origin"),
        (status = 409, description = "There is an account of that address; sign in to it and link the provider"),
        (status = 422, description = "The code is unknown, was used or has ended, or another page began it"),
    )
)]
#[post("/api/v1/auth/oauth/exchange")]
pub async fn login_with_provider(services: Shared, from: Origin, request: HttpRequest, body: JsonBody) -> Answer {
    let (given, mode) = body.read(|fields| provider_login(fields, client(&request)))?;
    from_own_page(&services, &request, mode)?;
    let given = from.login(&services).with_provider(&services.shop, &services.outside.gate, given).await?;
    admitted(&services, &given, mode)
}

/// Lists what one's account is linked to.
#[utoipa::path(
    tag = "users",
    responses((status = 200, description = "The providers, and issuers of tokens", body = IdentityList)),
    security(("bearer" = ["account:change"]))
)]
#[get("/api/v1/users/me/identities")]
pub async fn list_identities(auth: Auth<ChangeAccount>, services: Shared) -> Answer {
    let found = services.outside.ids.of(auth.0.principal().user).await?;
    let items = found.into_iter().map(IdentityView::from).collect();
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(IdentityList { items }))
}

/// Links one's account to whom a provider vouched for, with the code that the browser brought back. It takes a session: neither an API
/// key nor the token of an issuer makes a way in.
#[utoipa::path(
    tag = "users",
    request_body = LinkingRequest,
    responses(
        (status = 200, description = "It is linked", body = IdentityView),
        (status = 409, description = "The identity is another account's, or the account has another one of that provider"),
        (status = 422, description = "The code is unknown, was used or has ended, or another page began it"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[post("/api/v1/users/me/identities")]
pub async fn link_identity(auth: FreshAuth<ChangeAccount>, services: Shared, body: JsonBody) -> Answer {
    let (code, verifier) = body.read(linking)?;
    let linked = link(&services.shop, &services.outside.gate, &auth.0, &code, &verifier).await?;
    Ok(HttpResponse::Ok().json(IdentityView::from(linked)))
}

/// Unlinks one's account from a provider: it opens the account no more, at once. The last way in stays.
#[utoipa::path(
    tag = "users",
    params(Named),
    responses(
        (status = 200, description = "It is unlinked", body = Done),
        (status = 404, description = "The account is not linked to it"),
        (status = 409, description = "It is the last way into the account"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[delete("/api/v1/users/me/identities/{provider}")]
pub async fn unlink_identity(auth: FreshAuth<ChangeAccount>, services: Shared, provider: Named) -> Answer {
    unlink(&services.shop, services.users.as_ref(), &auth.0, &provider.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
