//! Server-sent events (RT-01, RT-02, RT-03).

use std::collections::BTreeSet;

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{Version, header},
    web,
};
use domain::realtime::Topic;
use futures_util::stream;
use utoipa::{IntoParams, ToSchema};

use super::{caller::Caller, listener::Listener, view::StreamMessage};
use crate::{
    Answer, Shared,
    connection::{Live, Outlet},
    problem::{In, Problem},
    query::{Params, Query, Read},
};

/// Most topics of one stream.
const TOPICS_MOST: usize = 100;
/// The header with which a client goes on where it was.
const LAST_EVENT_ID: &str = "last-event-id";

/// What to listen to.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct Events {
    /// The topics, at most 100: `products` for every product, `products:{categoryId}` for those of one category. One after
    /// another with commas, or the parameter once for each.
    #[param(value_type = Vec<TopicName>, style = Form, explode = false, example = json!(["products"]), min_items = 1, max_items = 100)]
    topics: BTreeSet<Topic>,
    /// A ticket of `POST /api/v1/events/tickets`, for clients that cannot send `Authorization`.
    #[param(max_length = 64)]
    ticket: Option<String>,
    /// As the header `Last-Event-ID`, which wins: the number after which to go on, for clients that cannot send headers.
    #[param(value_type = Option<u64>)]
    last_event_id: Option<u64>,
}

/// The name of a topic.
#[derive(Debug, ToSchema)]
#[schema(pattern = "^(products|models)(:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})?$", example = "products")]
pub struct TopicName(pub String);

impl Read for Events {
    fn read(query: &mut Query) -> Option<Self> {
        let texts: Option<Vec<String>> = query.many("topics", "topic", "", |text| Some(text.to_owned()));
        let names: Vec<&str> = texts.iter().flatten().flat_map(|text| text.split(',')).collect();
        let topics: Result<BTreeSet<Topic>, _> = names.iter().map(|name| name.parse::<Topic>()).collect();
        match &topics {
            _ if texts.is_none() => query.violations.add("topics", "required", "is required, such as products"),
            Err(unknown) => query.violations.add("topics", "topic", format!("{unknown}, several with commas")),
            Ok(topics) if topics.len() > TOPICS_MOST => {
                query.violations.add("topics", "max_items", format!("must name at most {TOPICS_MOST} topics"));
            }
            Ok(_) => {}
        }
        let last_event_id = query.parsed("lastEventId", "number", NOT_A_NUMBER, |text| text.parse().ok());
        Some(Self { topics: topics.unwrap_or_default(), ticket: query.one("ticket"), last_event_id })
    }
}

const NOT_A_NUMBER: &str = "must be the id of an event received, a whole number";

/// Streams committed changes as server-sent events, in order and without gaps.
///
/// Each message has the number of the change in the log as its `id` and JSON with a `type` as its `data`:
/// `product.created`, `product.updated`, `product.deleted`, and of the topic `models` or `models:{productId}` `model.changed`, which
/// says how far a version is, and `model.deleted`. A client that comes back with `Last-Event-ID` is told what it
/// missed, from any node. Where that is not kept any more a message of type `gap` says so. `closing` comes before the
/// server ends a stream. Listeners hear what they may read, and see a product that is withdrawn from the shop as deleted.
#[utoipa::path(
    tag = "events",
    params(
        Events,
        ("Last-Event-ID" = Option<u64>, Header, description = "The number after which to go on"),
    ),
    responses(
        (
            status = 200, description = "The stream; it does not end by itself. The `data` of each message is one of these",
            content_type = "text/event-stream", body = StreamMessage,
            example = json!({
                "type": "product.deleted", "seq": 42, "at": "2026-01-01T12:00:00Z",
                "productId": "0190f5fe-7c00-7a00-8000-0123456789ab"
            })
        ),
        (status = 401, description = "The token or ticket does not hold; sign in again before coming back"),
        (status = 429, description = "You have too many streams open"),
        (status = 503, description = "Too many streams are open on this server, or something we stand on is away"),
    ),
    security((), ("bearer" = []))
)]
#[get("/api/v1/events")]
pub async fn stream_events(services: Shared, request: HttpRequest, asked: Params<Events>) -> Answer {
    open(services, request, asked).await
}

/// The short path of ruling R19.
pub fn aliases(config: &mut web::ServiceConfig) {
    config.route("/events", web::get().to(open));
}

async fn open(services: Shared, request: HttpRequest, asked: Params<Events>) -> Answer {
    let Params(asked) = asked;
    let last = match request.headers().get(LAST_EVENT_ID) {
        None => asked.last_event_id,
        Some(value) if value.is_empty() => asked.last_event_id,
        Some(value) => Some(
            value
                .to_str()
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| Problem::broken(In::Header, "Last-Event-ID", "number", NOT_A_NUMBER))?,
        ),
    };
    let (places, bounds) = (&services.streams.hub.places, services.settings.streams.places);
    places.any(&bounds)?;
    let caller = Caller::of(&request, &services, asked.ticket.as_deref()).await?;
    let place = places.admit(&request, &caller, &bounds)?;
    // The pieces of an answer are told apart since HTTP/1.1.
    let outlet = Outlet::of(&request).filter(|_| request.version() == Version::HTTP_11);
    let listener = Listener::begin(services, caller, asked.topics, last, place, outlet.clone()).await?;
    let body = stream::unfold(listener, |mut listener| async move {
        listener.next().await.map(|written| (Ok::<_, actix_web::Error>(written), listener))
    });
    let mut answer = HttpResponse::Ok();
    answer.content_type("text/event-stream").insert_header((header::CACHE_CONTROL, "no-store"));
    // A proxy that gathers what it passes on would hold events back; so would compression, where it is asked for.
    answer.insert_header(("X-Accel-Buffering", "no"));
    if request.headers().contains_key(header::ACCEPT_ENCODING) {
        answer.insert_header((header::CONTENT_ENCODING, "identity"));
    }
    Ok(answer.streaming(Live::new(Box::pin(body), outlet)))
}
