//! Members of seller accounts.

use actix_web::{HttpResponse, delete, get, put};
use domain::{
    id::SellerId,
    organisation::{self, policy},
    permission::ManageMembers,
};

use super::dto::{MemberView, MembershipBody, membership};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    page::{PageParams, PageView},
    path::Id,
    query::Params,
    room::parameters::Person,
};

/// Lists the members of a seller account, for its members: owners first.
#[utoipa::path(
    tag = "sellers",
    params(Id<SellerId>, PageParams),
    responses(
        (status = 200, description = "The members", body = PageView<MemberView>),
        (status = 404, description = "No such account, or not for you to see"),
    ),
    security(("bearer" = ["members:manage"]))
)]
#[get("/api/v1/sellers/{id}/members")]
pub async fn list_seller_members(
    auth: Auth<ManageMembers>,
    services: Shared,
    id: Id<SellerId>,
    page: Params<PageParams>,
) -> Answer {
    let organisations = &services.access.organisations;
    policy::may_see(organisations.role_in(id.0, auth.0.principal().user).await?)?;
    let found = organisations.members(id.0, page.0.request()).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|member| MemberView::from(&member)))))
}

/// Gives a member another role, for owners.
#[utoipa::path(
    tag = "sellers",
    request_body = MembershipBody,
    params(Id<SellerId>, Person),
    responses(
        (status = 200, description = "They have it", body = Done),
        (status = 404, description = "No such account or member, or not for you to see"),
        (status = 409, description = "They are the last owner"),
    ),
    security(("bearer" = ["members:manage"]))
)]
#[put("/api/v1/sellers/{id}/members/{userId}")]
pub async fn set_seller_member(
    auth: Auth<ManageMembers>,
    services: Shared,
    id: Id<SellerId>,
    person: Person,
    body: JsonBody,
) -> Answer {
    let role = body.read(membership)?;
    organisation::change_member(&services.shop, auth.0, id.0, person.0, role).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

/// Ends a membership: that of another, or one's own.
#[utoipa::path(
    tag = "sellers",
    params(Id<SellerId>, Person),
    responses(
        (status = 200, description = "They are no member any more", body = Done),
        (status = 404, description = "No such account or member, or not for you to see"),
        (status = 409, description = "They are the last owner"),
    ),
    security(("bearer" = ["members:manage"]))
)]
#[delete("/api/v1/sellers/{id}/members/{userId}")]
pub async fn remove_seller_member(
    auth: Auth<ManageMembers>,
    services: Shared,
    id: Id<SellerId>,
    person: Person,
) -> Answer {
    organisation::remove_member(&services.shop, auth.0, id.0, person.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
