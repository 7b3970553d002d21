//! Single calls.

use actix_web::{HttpResponse, get};
use domain::{clock::Timestamp, id::AssistantCallId, permission::UseAssistant};
use utoipa::IntoParams;

use super::{
    cursor,
    filter::Which,
    report::stale,
    view::{CallView, CallsView},
};
use crate::{
    Answer, Shared,
    auth::Auth,
    query::{Params, Query, Read},
};

/// Which calls.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct CallsParams {
    /// Where the page begins: `nextCursor` of the page before; nothing is the first.
    #[param(pattern = r"^[^\x00]*$")]
    cursor: Option<String>,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
    #[param(ignore)]
    which: Which,
}

impl Read for CallsParams {
    fn read(query: &mut Query) -> Option<Self> {
        let cursor = query.one("cursor").filter(|cursor| !cursor.is_empty());
        let limit = query.limit().get();
        Some(Self { cursor, limit, which: Which::read(query) })
    }
}

/// Where a page begins, and what it is about.
type Place = (i64, i64, i64, AssistantCallId);

/// Lists calls of models, the newest first: one's own, or everybody's for administrators.
#[utoipa::path(
    tag = "assistant",
    params(CallsParams, Which),
    responses((status = 200, description = "The calls", body = CallsView)),
    security(("bearer" = ["assistant:use"]))
)]
#[get("/api/v1/assistant/calls")]
pub async fn list_assistant_calls(auth: Auth<UseAssistant>, services: Shared, params: Params<CallsParams>) -> Answer {
    let Params(CallsParams { cursor, limit, which }) = params;
    let (user, now, mac) = (auth.0.principal().user, services.shop.now(), services.mac.as_ref());
    let list = format!("calls {}", which.list(user, &[]));
    let place: Option<Place> = match &cursor {
        None => None,
        Some(text) => Some(cursor::open(mac, &list, text).ok_or_else(stale)?),
    };
    let at = Timestamp::from_timestamp_micros;
    let moments = place.as_ref().and_then(|(from, until, ..)| at(*from).zip(at(*until)));
    let filter = which.filter(&auth.0, now, moments)?;
    let after = place.and_then(|(_, _, began, id)| at(began).map(|began| (began, id)));
    let mut found = services.assistant.spending.calls(&filter, after, limit + 1).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = found.len() > wanted;
    found.truncate(wanted);
    let next_cursor = found.last().filter(|_| is_more).map(|last| {
        let moments = (filter.from.timestamp_micros(), filter.until.timestamp_micros());
        let place: Place = (moments.0, moments.1, last.started_at.timestamp_micros(), last.id);
        cursor::seal(mac, &list, &place)
    });
    let items = found.iter().map(CallView::from).collect();
    Ok(HttpResponse::Ok().json(CallsView { items, next_cursor, currency: services.assistant.currency.code() }))
}
