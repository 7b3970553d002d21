//! Who has a role in a room.

use actix_web::{HttpResponse, delete, get, put};
use domain::{
    Actor,
    id::RoomId,
    permission::UseRooms,
    room::{self, Hint},
};

use super::{
    dto::{MemberView, MembershipBody, membership},
    meet,
    parameters::Person,
    tell,
};
use crate::{
    Answer, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    page::{PageParams, PageView},
    path::Id,
    query::Params,
};

/// Lists who has a role in a room: the owner, moderators, members.
#[utoipa::path(
    tag = "rooms",
    params(Id<RoomId>, PageParams),
    responses(
        (status = 200, description = "The members", body = PageView<MemberView>),
        (status = 404, description = "No such room, or not for you to see"),
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[get("/api/v1/rooms/{id}/members")]
pub async fn list_room_members(
    auth: Auth<UseRooms>,
    services: Shared,
    id: Id<RoomId>,
    page: Params<PageParams>,
) -> Answer {
    meet(&services, &Actor::Signed(auth.0.principal().clone()), id.0).await?;
    let found = services.rooms.queries.members(id.0, page.0.request()).await?;
    let items = found.items.iter().map(MemberView::from).collect();
    Ok(HttpResponse::Ok().json(PageView { items, total: found.total, page: found.page, pages: found.pages }))
}

/// Makes somebody a member or a moderator. Moderators invite members; the owner makes moderators.
#[utoipa::path(
    tag = "rooms",
    request_body = MembershipBody,
    params(Id<RoomId>, Person),
    responses(
        (status = 200, description = "What they are now", body = MemberView),
        (status = 404, description = "No such room or person, or not for you to see"),
        (status = 409, description = "They own the room"),
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[put("/api/v1/rooms/{id}/members/{userId}")]
pub async fn set_room_member(
    auth: Auth<UseRooms>,
    services: Shared,
    id: Id<RoomId>,
    person: Person,
    body: JsonBody,
) -> Answer {
    let role = body.read(|fields| Some(membership(fields)))?;
    let member = room::set_member(&services.shop, auth.0, id.0, person.0, role).await?;
    Ok(HttpResponse::Ok().json(MemberView::from(&member)))
}

/// Takes somebody's role away, or leaves the room oneself. Who may not be in it any more is shown out.
#[utoipa::path(
    tag = "rooms",
    params(Id<RoomId>, Person),
    responses(
        (status = 200, description = "They have none", body = Done),
        (status = 404, description = "No such room or member, or not for you to see"),
        (status = 409, description = "They own the room"),
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[delete("/api/v1/rooms/{id}/members/{userId}")]
pub async fn remove_room_member(auth: Auth<UseRooms>, services: Shared, id: Id<RoomId>, person: Person) -> Answer {
    room::remove_member(&services.shop, auth.0, id.0, person.0).await?;
    tell(&services, id.0, &Hint::Admission);
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
