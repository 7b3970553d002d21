//! Rooms over HTTP: making them, keeping order in them, and reading what was said. Talking is done over WebSockets.

pub mod dto;
mod members;
mod messages;
pub(crate) mod parameters;
mod rooms;
mod sanctions;

use domain::{
    Actor, Error,
    id::RoomId,
    room::{Hint, policy, ports::Seen},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::Services;

/// The operations of rooms.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(rooms::list_rooms)
        .service(rooms::create_room)
        .service(rooms::get_room)
        .service(rooms::update_room)
        .service(rooms::delete_room)
        .service(members::list_room_members)
        .service(members::set_room_member)
        .service(members::remove_room_member)
        .service(sanctions::list_room_bans)
        .service(sanctions::ban_from_room)
        .service(sanctions::unban_from_room)
        .service(sanctions::list_room_mutes)
        .service(sanctions::mute_in_room)
        .service(sanctions::unmute_in_room)
        .service(messages::list_room_messages)
        .service(messages::delete_room_message);
}

/// A room as the caller meets it; only one they may be in.
async fn meet(services: &Services, actor: &Actor, id: RoomId) -> domain::Result<Seen> {
    let who = actor.principal();
    let seen = services.rooms.queries.seen(id, who.map(|who| who.user), services.shop.now()).await?;
    let seen = seen.ok_or(Error::NotFound("Room"))?;
    policy::may_enter(who, &seen.room, &seen.standing)?;
    Ok(seen)
}

/// Tells every node what changed in a room.
fn tell(services: &Services, id: RoomId, hint: &Hint) {
    services.bus.publish(&Hint::topic(id), &hint.encode());
}
