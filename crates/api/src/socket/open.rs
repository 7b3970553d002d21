//! Opening a WebSocket: who may, before it is one.

use actix_http::ws;
use actix_web::{
    HttpRequest,
    body::{BodyStream, MessageBody as _},
    get,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{self, Payload},
};
use utoipa::IntoParams;

use super::{
    heard::Heard,
    session::{self, Opening},
};
use crate::{
    Answer, Shared,
    connection::Outlet,
    csrf,
    problem::Problem,
    query::{Params, Query, Read},
    stream::caller::Caller,
};

/// Most characters of an epoch as anybody writes it.
const EPOCH_MAX: usize = 64;

/// How to open it.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct Socket {
    /// A ticket of `POST /api/v1/events/tickets`, for browsers, which cannot send `Authorization`.
    #[param(max_length = 64)]
    ticket: Option<String>,
    /// The last offset the client has of the room `global`: what was said there since comes first.
    #[param(minimum = 0)]
    offset: Option<u64>,
    /// The epoch that came with the offset.
    #[param(max_length = 64)]
    epoch: Option<String>,
}

impl Read for Socket {
    fn read(query: &mut Query) -> Option<Self> {
        let offset = query.parsed("offset", "number", "must be a whole number", |text| text.parse().ok());
        let epoch = query.parsed("epoch", "max_length", "must have at most 64 characters", |text| {
            (text.len() <= EPOCH_MAX).then(|| text.to_owned())
        });
        Some(Self { ticket: query.one("ticket"), offset, epoch })
    }
}

/// Opens a WebSocket: rooms, presence, and the topics of `GET /api/v1/events` over one connection.
///
/// Messages are JSON texts with a `type`. Whoever is not signed in hears public rooms and counts of people. Pages of other
/// origins are refused unless the shop allows them. Before the server closes the connection it sends `closing` with the code
/// and advice: 1012 `Server shutdown`, 1013 `Too slow`, 1011 and 1000 `Ping timeout` say connect again after `retryAfterMs`;
/// 4401 `Session ended` says sign in first; 1002, 1003, 1007 and 1009 are faults of the client.
#[utoipa::path(
    tag = "rooms",
    params(Socket),
    responses(
        (status = 101, description = "The connection is a WebSocket now"),
        (status = 401, description = "The token or ticket does not hold; sign in again before coming back"),
        (status = 403, description = "The page that asks is of another origin"),
        (status = 426, description = "This is no request for a WebSocket"),
        (status = 429, description = "You have too many connections open"),
        (status = 503, description = "Too many connections are open on this server, or something we stand on is away"),
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/ws")]
pub async fn open_socket(services: Shared, request: HttpRequest, asked: Params<Socket>, payload: Payload) -> Answer {
    open(services, request, asked, payload).await
}

/// The short path of ruling R19.
pub fn aliases(config: &mut web::ServiceConfig) {
    config.route("/ws", web::get().to(open));
}

async fn open(services: Shared, request: HttpRequest, asked: Params<Socket>, payload: Payload) -> Answer {
    let Params(Socket { ticket, offset, epoch }) = asked;
    if !is_upgrade(&request) {
        return Err(Problem::new(StatusCode::UPGRADE_REQUIRED, "Open this as a WebSocket")
            .header(header::UPGRADE, HeaderValue::from_static("websocket")));
    }
    let (places, bounds) = (&services.rooms.floor.places, services.settings.sockets.places);
    if csrf::is_of_origin(request.headers(), &services.settings) == Some(false) {
        places.refused();
        return Err(Problem::new(StatusCode::FORBIDDEN, "Pages of this origin may not connect"));
    }
    places.any(&bounds)?;
    let caller = Caller::of(&request, &services, ticket.as_deref()).await?;
    let place = places.admit(&request, &caller, &bounds)?;
    let mut response =
        ws::handshake(request.head()).map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    let heard = Heard::new(payload.into_inner(), services.settings.sockets.frame_bytes);
    let (resume, outlet) = (offset.map(|offset| (offset, epoch)), Outlet::of(&request));
    let opening = Opening { services, caller, place, resume, outlet };
    let (session, body) = session::begin(opening);
    // It ends with the client, with the hub of the streams, or with the runtime of this worker.
    actix_web::rt::spawn(session.run(heard));
    let response = response
        .message_body(BodyStream::new(body).boxed())
        .map_err(|error| Problem::from(domain::Error::internal(error.to_string())))?;
    Ok(response.into())
}

fn is_upgrade(request: &HttpRequest) -> bool {
    let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let upgrade = header(header::UPGRADE).is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    upgrade && header(header::CONNECTION).is_some_and(|value| value.to_ascii_lowercase().contains("upgrade"))
}
