//! What was said in a room.

use actix_web::{HttpResponse, delete, get};
use domain::{
    Error,
    id::RoomId,
    permission::UseRooms,
    room::{self, Hint},
};

use super::{
    dto::HistoryView,
    meet,
    parameters::{History, Offset},
    tell,
};
use crate::{
    Answer, Shared,
    auth::{Auth, MaybeAuth},
    done::Done,
    path::Id,
    query::Params,
};

/// Reads what was said in a room, by offset: the last messages, or those after or before one.
#[utoipa::path(
    tag = "rooms",
    params(Id<RoomId>, History),
    responses(
        (status = 200, description = "The messages, in order", body = HistoryView),
        (status = 403, description = "You are banned from it"),
        (status = 404, description = "No such room, or not for you to see"),
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/rooms/{id}/messages")]
pub async fn list_room_messages(caller: MaybeAuth, services: Shared, id: Id<RoomId>, asked: Params<History>) -> Answer {
    meet(&services, &caller.0, id.0).await?;
    let (window, limit) = asked.0.window();
    let items = services.rooms.queries.messages(id.0, window, limit).await?;
    let reach = services.rooms.queries.reach(id.0).await?.ok_or(Error::NotFound("Room"))?;
    Ok(HttpResponse::Ok().json(HistoryView {
        items: items.into_iter().map(Into::into).collect(),
        first_offset: reach.first,
        last_offset: reach.last,
        epoch: reach.epoch.0,
    }))
}

/// Deletes a message: one's own, or any as a moderator. Its words are gone, its place stays.
#[utoipa::path(
    tag = "rooms",
    params(Id<RoomId>, Offset),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such room or message, or not for you to see"),
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[delete("/api/v1/rooms/{id}/messages/{offset}")]
pub async fn delete_room_message(auth: Auth<UseRooms>, services: Shared, id: Id<RoomId>, offset: Offset) -> Answer {
    room::erase_message(&services.shop, auth.0, id.0, offset.0).await?;
    tell(&services, id.0, &Hint::Erased { offset: offset.0 });
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
