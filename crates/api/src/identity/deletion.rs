//! Deleting oneself.

use actix_web::{HttpResponse, delete, get, http::header, post};
use domain::{Error, identity, permission::ChangeAccount};

use super::{
    by_mail::done,
    credentials::{leave, unless_given},
    dto::{
        by_mail::current_password,
        deletion::{DeletionBody, DeletionView},
    },
    origin::Origin,
};
use crate::{
    Answer, Shared,
    auth::{Auth, Own},
    body::JsonBody,
    cookies,
    done::Done,
};

/// Asks to be deleted. One is signed out everywhere at once; who signs in again before it comes may call it off.
///
/// Then a pseudonym is left: what one wrote for others and what was done stays, under an id that says nothing of anybody.
#[utoipa::path(
    tag = "users",
    request_body = DeletionBody,
    responses(
        (status = 202, description = "It comes then", body = DeletionView),
        (status = 403, description = "The present password is another"),
        (status = 409, description = "One is the last administrator, or alone owns a seller account that has other members"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[post("/api/v1/users/me/deletion")]
pub async fn request_deletion(
    auth: Auth<ChangeAccount>,
    own: Own,
    services: Shared,
    from: Origin,
    request: actix_web::HttpRequest,
    body: JsonBody,
) -> Answer {
    let current = body.read(|fields| Some(current_password(fields)))?;
    let fresh = unless_given(&services, current.as_ref(), &auth, own).await?;
    let leave = leave(current.as_ref(), fresh.as_ref())?;
    let (proof, grace) = (from.proof(&services), services.settings.deletion_grace);
    let deletes_at = identity::request_deletion(&services.shop, proof, &auth.0, leave, grace).await?;
    let mut response = HttpResponse::Accepted().json(DeletionView { deletes_at });
    cookies::take_back(&mut response, request.headers(), services.settings.https)?;
    Ok(response)
}

/// Tells when one is to be deleted.
#[utoipa::path(
    tag = "users",
    responses(
        (status = 200, description = "It comes then", body = DeletionView),
        (status = 404, description = "One did not ask for it"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[get("/api/v1/users/me/deletion")]
pub async fn get_deletion(auth: Auth<ChangeAccount>, services: Shared) -> Answer {
    let due = services.users.deletion(auth.0.principal().user).await?;
    let view = DeletionView { deletes_at: due.ok_or(Error::NotFound("Deletion"))? };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(view))
}

/// Calls one's deletion off.
#[utoipa::path(
    tag = "users",
    responses(
        (status = 200, description = "One stays", body = Done),
        (status = 404, description = "One did not ask for it"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[delete("/api/v1/users/me/deletion")]
pub async fn withdraw_deletion(auth: Auth<ChangeAccount>, services: Shared) -> Answer {
    identity::withdraw_deletion(&services.shop, &auth.0).await?;
    Ok(done())
}
