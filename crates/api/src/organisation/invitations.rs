//! Invitations to seller accounts.

use actix_web::{HttpResponse, delete, get, http::StatusCode, post};
use domain::{
    id::{InvitationId, SellerId},
    organisation::{self, Invited, policy},
    permission::ManageMembers,
};

use super::dto::{AccountView, CodeBody, InvitationBody, InvitationView, InvitedView, code, new_invitation};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    idempotency::{Keyed, reply},
    page::{PageParams, PageView},
    path::Id,
    query::Params,
};

/// Lists the invitations to a seller account that hold, the newest first, for its managers and owners.
#[utoipa::path(
    tag = "sellers",
    params(Id<SellerId>, PageParams),
    responses(
        (status = 200, description = "The invitations", body = PageView<InvitationView>),
        (status = 404, description = "No such account, or not for you to see"),
    ),
    security(("bearer" = ["members:manage"]))
)]
#[get("/api/v1/sellers/{id}/invitations")]
pub async fn list_invitations(
    auth: Auth<ManageMembers>,
    services: Shared,
    id: Id<SellerId>,
    page: Params<PageParams>,
) -> Answer {
    let organisations = &services.access.organisations;
    policy::may_invite(organisations.role_in(id.0, auth.0.principal().user).await?)?;
    let found = organisations.invitations(id.0, services.shop.now(), page.0.request()).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|one| InvitationView::from(&one)))))
}

/// Invites an address to a seller account, for a week. Managers invite members; owners invite as anything. The code is shown
/// in this answer and never again.
#[utoipa::path(
    tag = "sellers",
    request_body = InvitationBody,
    params(Id<SellerId>, Keyed),
    responses(
        (status = 201, description = "The invitation with its code", body = InvitedView),
        (status = 404, description = "No such account, or not for you to see"),
        (status = 409, description = "Too many are open"),
        Keyed,
    ),
    security(("bearer" = ["members:manage"]))
)]
#[post("/api/v1/sellers/{id}/invitations")]
pub async fn create_invitation(
    auth: Auth<ManageMembers>,
    services: Shared,
    id: Id<SellerId>,
    keyed: Keyed,
    body: JsonBody,
) -> Answer {
    let new = body.read(|fields| new_invitation(fields).check(&mut fields.violations))?;
    let made = |made: &Invited, view: &InvitedView| {
        let location = format!("/api/v1/sellers/{}/invitations", made.invitation.seller);
        let headers = [("Location", location), ("Cache-Control", "no-store".to_owned())];
        reply(StatusCode::CREATED, headers.map(|(name, value)| (name.to_owned(), value)).into(), view)
    };
    let kept = |one: &Invited| made(one, &InvitedView::kept(one));
    let shown = |one: &Invited| made(one, &InvitedView::shown(one));
    keyed
        .run_shown(&services, "create_invitation", &body, kept, shown, async |once| {
            organisation::invite(&services.shop, services.mac.as_ref(), &services.mailroom, auth.0, id.0, new, once)
                .await
        })
        .await
}

/// Accepts an invitation: one is a member of the seller account from now on.
#[utoipa::path(
    tag = "sellers",
    request_body = CodeBody,
    responses(
        (status = 200, description = "The account", body = AccountView),
        (status = 403, description = "One has not proven that one's address is one's own"),
        (status = 404, description = "The code is wrong, used, taken back or over, or meant for another address"),
        (status = 409, description = "One is a member already, or of too many accounts"),
    ),
    security(("bearer" = ["members:manage"]))
)]
#[post("/api/v1/invitations/accept")]
pub async fn accept_invitation(auth: Auth<ManageMembers>, services: Shared, body: JsonBody) -> Answer {
    let code = body.read(code)?;
    let joined = organisation::accept_invitation(&services.shop, services.mac.as_ref(), auth.0, &code).await?;
    Ok(HttpResponse::Ok().json(AccountView::from(&joined)))
}

/// Takes an invitation back.
#[utoipa::path(
    tag = "sellers",
    params(Id<InvitationId>),
    responses(
        (status = 200, description = "Its code opens nothing any more", body = Done),
        (status = 404, description = "No such invitation, or not for you to see"),
    ),
    security(("bearer" = ["members:manage"]))
)]
#[delete("/api/v1/invitations/{id}")]
pub async fn revoke_invitation(auth: Auth<ManageMembers>, services: Shared, id: Id<InvitationId>) -> Answer {
    organisation::revoke_invitation(&services.shop, auth.0, id.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
