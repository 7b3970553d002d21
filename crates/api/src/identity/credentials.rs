//! What a person changes of how they sign in: it takes their present password beside the token.

use actix_web::post;
use domain::{identity, permission::OwnAccount};

use super::{
    by_mail::{done, sent},
    dto::by_mail::{EmailChange, PasswordChange, email_change, password_change},
    origin::Origin,
};
use crate::{
    Answer, Shared,
    auth::{Auth, Own},
    body::JsonBody,
};

/// Changes one's own password. The session it is changed with goes on, all others are over.
#[utoipa::path(
    tag = "auth",
    request_body = PasswordChange,
    responses(
        (status = 200, description = "The password is the new one; all other sessions are over", body = crate::done::Done),
        (status = 403, description = "The present password is another"),
    ),
    security(("bearer" = ["account:own"]))
)]
#[post("/api/v1/auth/password")]
pub async fn change_password(
    auth: Auth<OwnAccount>,
    own: Own,
    services: Shared,
    from: Origin,
    body: JsonBody,
) -> Answer {
    let (current, new) = body.read(password_change)?;
    let (shop, room) = (&services.shop, &services.mailroom);
    identity::change_password(shop, room, from.proof(&services), &auth.0, own.0.id, &current, &new).await?;
    Ok(done())
}

/// Asks for a letter to a new address, with a link that makes it one's own. It is good for 30 minutes.
#[utoipa::path(
    tag = "auth",
    request_body = EmailChange,
    responses(
        (status = 202, description = "A letter is on its way to the new address", body = crate::done::Done),
        (status = 403, description = "The present password is another"),
    ),
    security(("bearer" = ["account:own"]))
)]
#[post("/api/v1/auth/email-change")]
pub async fn request_email_change(auth: Auth<OwnAccount>, services: Shared, from: Origin, body: JsonBody) -> Answer {
    let (shop, room) = (&services.shop, &services.mailroom);
    let (new, current, redirect) = body.read(|fields| email_change(fields, &room.links))?;
    let proof = from.proof(&services);
    identity::request_email_change(shop, room, proof, &auth.0, &current, &new, redirect.as_ref()).await?;
    Ok(sent())
}
