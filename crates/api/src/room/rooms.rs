//! Making, finding, changing and deleting rooms.

use actix_web::{HttpResponse, delete, get, patch, post};
use domain::{
    Actor,
    id::RoomId,
    permission::{ManageRooms, UseRooms},
    room::{self, Hint, Room, ports::Listed},
};

use super::{
    dto::{NewRoomBody, RoomPatchBody, RoomView, SeenRoomView, new_room, room_patch},
    meet, tell,
};
use crate::{
    Answer, Shared,
    auth::{Auth, MaybeAuth},
    body::JsonBody,
    done::Done,
    etag::{self, IfMatch, IfNoneMatch},
    idempotency::{Keyed, created},
    page::{PageParams, PageView},
    path::Id,
    query::Params,
};

/// Lists rooms by name: public ones, and private ones one is a member of.
#[utoipa::path(
    tag = "rooms",
    params(PageParams),
    responses((status = 200, description = "The rooms", body = PageView<RoomView>)),
    security((), ("bearer" = []))
)]
#[get("/api/v1/rooms")]
pub async fn list_rooms(caller: MaybeAuth, services: Shared, page: Params<PageParams>) -> Answer {
    let listed = match &caller.0 {
        Actor::Anonymous => Listed::Public,
        Actor::Signed(principal) if principal.may::<ManageRooms>() => Listed::All,
        Actor::Signed(principal) => Listed::Of(principal.user),
    };
    let found = services.rooms.queries.list(listed, page.0.request()).await?;
    let items = found.items.iter().map(RoomView::from).collect();
    Ok(HttpResponse::Ok().json(PageView { items, total: found.total, page: found.page, pages: found.pages }))
}

/// Makes a room; one owns it.
#[utoipa::path(
    tag = "rooms",
    request_body = NewRoomBody,
    params(Keyed),
    responses(
        (status = 201, description = "The room", body = RoomView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 409, description = "The name is taken"),
        Keyed,
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[post("/api/v1/rooms")]
pub async fn create_room(auth: Auth<UseRooms>, services: Shared, keyed: Keyed, body: JsonBody) -> Answer {
    let new = body.read(|fields| new_room(fields).check(&mut fields.violations))?;
    let render = |one: &Room| created(format!("/api/v1/rooms/{}", one.id), one.version, &RoomView::from(one));
    keyed
        .run(&services, "create_room", &body, render, async |once| {
            room::create_room(&services.shop, auth.0, new, once).await
        })
        .await
}

/// Reads a room, how one stands to it, and how many people are there.
#[utoipa::path(
    tag = "rooms",
    params(Id<RoomId>, IfNoneMatch),
    responses(
        (status = 200, description = "The room", body = SeenRoomView),
        (status = 403, description = "You are banned from it"),
        (status = 404, description = "No such room, or not for you to see"),
        IfNoneMatch,
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/rooms/{id}")]
pub async fn get_room(caller: MaybeAuth, services: Shared, id: Id<RoomId>, known: IfNoneMatch) -> Answer {
    let seen = meet(&services, &caller.0, id.0).await?;
    // How many are there is nothing to fail for.
    let count = services.rooms.presence.crowd(id.0, 0).await.map_or(0, |crowd| crowd.count);
    etag::read(&known, Some(seen.room.version), &SeenRoomView::new(&seen, count))
}

/// Changes the title of a room, or who may be in it. Who may not any more is shown out.
#[utoipa::path(
    tag = "rooms",
    request_body = RoomPatchBody,
    params(Id<RoomId>, IfMatch),
    responses(
        (status = 200, description = "The room", body = RoomView, headers(("ETag" = String, description = "Its version, for If-Match"))),
        (status = 404, description = "No such room, or not for you to see"),
        (status = 409, description = "It was changed meanwhile, or stays public"),
        IfMatch,
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[patch("/api/v1/rooms/{id}")]
pub async fn update_room(
    auth: Auth<UseRooms>,
    services: Shared,
    id: Id<RoomId>,
    if_match: IfMatch,
    body: JsonBody,
) -> Answer {
    let patch = body.read(|fields| Some(room_patch(fields)))?;
    let expected = if_match.expected(None)?;
    let room = room::update_room(&services.shop, auth.0, id.0, patch, expected.versions())
        .await
        .map_err(|error| expected.problem(error))?;
    tell(&services, id.0, &Hint::Admission);
    etag::changed(room.version, &RoomView::from(&room))
}

/// Deletes a room with all that was said in it.
#[utoipa::path(
    tag = "rooms",
    params(Id<RoomId>, IfMatch),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such room, or not for you to see"),
        (status = 409, description = "It stays"),
        IfMatch,
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[delete("/api/v1/rooms/{id}")]
pub async fn delete_room(auth: Auth<UseRooms>, services: Shared, id: Id<RoomId>, if_match: IfMatch) -> Answer {
    let expected = if_match.expected(None)?;
    room::delete_room(&services.shop, auth.0, id.0, expected.versions())
        .await
        .map_err(|error| expected.problem(error))?;
    tell(&services, id.0, &Hint::Admission);
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
