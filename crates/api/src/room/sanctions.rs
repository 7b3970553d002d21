//! Bans and mutes.

use actix_web::{HttpResponse, delete, get, put};
use domain::{
    Authorized,
    id::{RoomId, UserId},
    page::PageRequest,
    permission::UseRooms,
    room::{self, Hint, SanctionKind, policy},
};

use super::{
    dto::{SanctionBody, SanctionView, new_sanction},
    parameters::Person,
    tell,
};
use crate::{
    Answer, Services, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    page::{PageParams, PageView},
    path::Id,
    query::Params,
};

/// Lists who is banned in a room, for its moderators.
#[utoipa::path(
    tag = "rooms",
    params(Id<RoomId>, PageParams),
    responses(
        (status = 200, description = "The bans that hold, the latest first", body = PageView<SanctionView>),
        (status = 404, description = "No such room, or not for you to see"),
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[get("/api/v1/rooms/{id}/bans")]
pub async fn list_room_bans(
    auth: Auth<UseRooms>,
    services: Shared,
    id: Id<RoomId>,
    page: Params<PageParams>,
) -> Answer {
    list(&services, &auth.0, id.0, SanctionKind::Ban, page.0.request()).await
}

/// Bans somebody from a room, for a time or until it is lifted. Who is there is shown out.
#[utoipa::path(
    tag = "rooms",
    request_body = SanctionBody,
    params(Id<RoomId>, Person),
    responses(
        (status = 200, description = "The ban", body = SanctionView),
        (status = 404, description = "No such room or person, or not for you to see"),
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[put("/api/v1/rooms/{id}/bans/{userId}")]
pub async fn ban_from_room(
    auth: Auth<UseRooms>,
    services: Shared,
    id: Id<RoomId>,
    person: Person,
    body: JsonBody,
) -> Answer {
    impose(&services, auth.0, id.0, person.0, SanctionKind::Ban, &body).await
}

/// Lifts a ban.
#[utoipa::path(
    tag = "rooms",
    params(Id<RoomId>, Person),
    responses(
        (status = 200, description = "It is lifted", body = Done),
        (status = 404, description = "No such room or ban, or not for you to see"),
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[delete("/api/v1/rooms/{id}/bans/{userId}")]
pub async fn unban_from_room(auth: Auth<UseRooms>, services: Shared, id: Id<RoomId>, person: Person) -> Answer {
    lift(&services, auth.0, id.0, person.0, SanctionKind::Ban).await
}

/// Lists who is muted in a room, for its moderators.
#[utoipa::path(
    tag = "rooms",
    params(Id<RoomId>, PageParams),
    responses(
        (status = 200, description = "The mutes that hold, the latest first", body = PageView<SanctionView>),
        (status = 404, description = "No such room, or not for you to see"),
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[get("/api/v1/rooms/{id}/mutes")]
pub async fn list_room_mutes(
    auth: Auth<UseRooms>,
    services: Shared,
    id: Id<RoomId>,
    page: Params<PageParams>,
) -> Answer {
    list(&services, &auth.0, id.0, SanctionKind::Mute, page.0.request()).await
}

/// Mutes somebody in a room, for a time or until it is lifted: they listen and do not write.
#[utoipa::path(
    tag = "rooms",
    request_body = SanctionBody,
    params(Id<RoomId>, Person),
    responses(
        (status = 200, description = "The mute", body = SanctionView),
        (status = 404, description = "No such room or person, or not for you to see"),
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[put("/api/v1/rooms/{id}/mutes/{userId}")]
pub async fn mute_in_room(
    auth: Auth<UseRooms>,
    services: Shared,
    id: Id<RoomId>,
    person: Person,
    body: JsonBody,
) -> Answer {
    impose(&services, auth.0, id.0, person.0, SanctionKind::Mute, &body).await
}

/// Lifts a mute.
#[utoipa::path(
    tag = "rooms",
    params(Id<RoomId>, Person),
    responses(
        (status = 200, description = "It is lifted", body = Done),
        (status = 404, description = "No such room or mute, or not for you to see"),
    ),
    security(("bearer" = ["rooms:use"]))
)]
#[delete("/api/v1/rooms/{id}/mutes/{userId}")]
pub async fn unmute_in_room(auth: Auth<UseRooms>, services: Shared, id: Id<RoomId>, person: Person) -> Answer {
    lift(&services, auth.0, id.0, person.0, SanctionKind::Mute).await
}

async fn list(
    services: &Services,
    by: &Authorized<UseRooms>,
    id: RoomId,
    kind: SanctionKind,
    page: PageRequest,
) -> Answer {
    let (who, now) = (by.principal(), services.shop.now());
    let seen = services.rooms.queries.seen(id, Some(who.user), now).await?;
    let seen = seen.ok_or(domain::Error::NotFound("Room"))?;
    policy::may_moderate(who, &seen.room, &seen.standing)?;
    let found = services.rooms.queries.sanctions(id, kind, now, page).await?;
    let items = found.items.iter().map(SanctionView::from).collect();
    Ok(HttpResponse::Ok().json(PageView { items, total: found.total, page: found.page, pages: found.pages }))
}

async fn impose(
    services: &Services,
    by: Authorized<UseRooms>,
    id: RoomId,
    user: UserId,
    kind: SanctionKind,
    body: &JsonBody,
) -> Answer {
    let now = services.shop.now();
    let input = body.read(|fields| Some(new_sanction(fields, now)))?;
    let sanction = room::sanction(&services.shop, by, id, user, kind, input).await?;
    tell(services, id, &Hint::Admission);
    Ok(HttpResponse::Ok().json(SanctionView::from(&sanction)))
}

async fn lift(services: &Services, by: Authorized<UseRooms>, id: RoomId, user: UserId, kind: SanctionKind) -> Answer {
    room::lift_sanction(&services.shop, by, id, user, kind).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
