//! Tickets for browsers, whose `EventSource` and `WebSocket` send no headers (ruling R33).

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, http::header, post};
use chrono::{DateTime, Utc};
use domain::{Error, identity::ports::Session, permission::OwnAccount, realtime};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Answer, Shared, auth::Auth};

/// A ticket.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StreamTicket)]
#[serde(rename_all = "camelCase")]
pub struct TicketView {
    /// Sent as `?ticket=`, once.
    #[schema(example = "5f0c…", max_length = 64)]
    pub ticket: String,
    /// When it ends unused: 30 seconds after it was made.
    pub expires_at: DateTime<Utc>,
}

/// Makes a ticket that opens one stream in one's own name, within 30 seconds.
///
/// Browsers send no `Authorization` header with an `EventSource` or a `WebSocket`, and a token in an address ends up in
/// logs. A ticket in a log is worth nothing: it was used.
#[utoipa::path(
    tag = "events",
    responses((status = 200, description = "The ticket", body = TicketView)),
    security(("bearer" = ["account:own"]))
)]
#[post("/api/v1/events/tickets")]
pub async fn create_ticket(auth: Auth<OwnAccount>, services: Shared, request: HttpRequest) -> Answer {
    if auth.0.principal().key.is_some() {
        return Err(Error::forbidden("An API key needs no ticket; send it as Authorization").into());
    }
    let session = request.extensions().get::<Session>().copied().ok_or(Error::Unauthenticated)?;
    let tickets = services.streams.tickets.as_ref();
    let (ticket, expires_at) =
        realtime::issue_ticket(&services.shop, services.mac.as_ref(), tickets, &auth.0, session).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(TicketView { ticket, expires_at }))
}
