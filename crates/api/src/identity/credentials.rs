//! What a person changes of how they sign in: it takes their present password beside the token, or a fresh proof of who they are.

use actix_web::post;
use domain::{
    identity::{self, Fresh, Leave, Password},
    permission::ChangeAccount,
};

use super::{
    by_mail::{done, sent},
    dto::by_mail::{EmailChange, PasswordChange, email_change, password_change},
    origin::Origin,
};
use crate::{
    Answer, Services, Shared,
    auth::{Auth, Own},
    body::JsonBody,
    problem::Problem,
};

/// A fresh proof of who somebody is, where they do not give their present password.
pub(super) async fn unless_given(
    services: &Services,
    current: Option<&Password>,
    auth: &Auth<ChangeAccount>,
    own: Own,
) -> Result<Option<Fresh<ChangeAccount>>, Problem> {
    match current {
        Some(_) => Ok(None),
        None => Ok(Some(services.freshness().check(auth.0.clone(), own.0, services.shop.now()).await?)),
    }
}

/// What lets them change it: one of the two is there.
pub(super) fn leave<'a>(
    current: Option<&'a Password>,
    fresh: Option<&'a Fresh<ChangeAccount>>,
) -> Result<Leave<'a>, Problem> {
    let leave = current.map(Leave::Current).or(fresh.map(Leave::Fresh));
    leave.ok_or_else(|| domain::Error::Unauthenticated.into())
}

/// Changes one's own password, by the present one or by a fresh proof of who one is. The session it is changed with goes on, all others are over.
#[utoipa::path(
    tag = "auth",
    request_body = PasswordChange,
    responses(
        (status = 200, description = "The password is the new one; all other sessions are over", body = crate::done::Done),
        (status = 403, description = "The present password is another"),
    ),
    security(("bearer" = ["account:change"]))
)]
#[post("/api/v1/auth/password")]
pub async fn change_password(
    auth: Auth<ChangeAccount>,
    own: Own,
    services: Shared,
    from: Origin,
    body: JsonBody,
) -> Answer {
    let (current, new) = body.read(password_change)?;
    let (shop, room) = (&services.shop, &services.mailroom);
    let fresh = unless_given(&services, current.as_ref(), &auth, own).await?;
    let leave = leave(current.as_ref(), fresh.as_ref())?;
    identity::change_password(shop, room, from.proof(&services), &auth.0, own.0.id, leave, &new).await?;
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
    security(("bearer" = ["account:change"]))
)]
#[post("/api/v1/auth/email-change")]
pub async fn request_email_change(
    auth: Auth<ChangeAccount>,
    own: Own,
    services: Shared,
    from: Origin,
    body: JsonBody,
) -> Answer {
    let (shop, room) = (&services.shop, &services.mailroom);
    let (new, current, redirect) = body.read(|fields| email_change(fields, &room.links))?;
    let fresh = unless_given(&services, current.as_ref(), &auth, own).await?;
    let (proof, leave) = (from.proof(&services), leave(current.as_ref(), fresh.as_ref())?);
    identity::request_email_change(shop, room, proof, &auth.0, leave, &new, redirect.as_ref()).await?;
    Ok(sent())
}
