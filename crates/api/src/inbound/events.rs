//! What came in, what it did and why it failed, for operators.

use actix_web::{HttpResponse, get, post};
use domain::{
    Error,
    id::HookEventId,
    inbound::{HookState, ports::HookFilter, replay_hook},
    page::{Limit, PageRequest},
    permission::ManageHooks,
};
use utoipa::IntoParams;

use super::view::{HookEventView, HookStateView};
use crate::{
    Answer, Shared,
    auth::Auth,
    etag::{self, IfNoneMatch},
    page::PageView,
    path::Id,
    query::{Params, Query, Read},
};

/// Which events to list; every part given must match.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct HookEventParams {
    /// Events of this source.
    #[param(example = "clerk", pattern = r"^[^\x00]*$")]
    source: Option<String>,
    /// Events of this kind.
    #[param(rename = "type", example = "user.created", pattern = r"^[^\x00]*$")]
    kind: Option<String>,
    /// Events that stand there.
    #[param(value_type = Option<HookStateView>)]
    state: Option<HookState>,
    /// The page, from 1.
    #[param(required = false, minimum = 1, maximum = 4_294_967_295_i64, default = 1, value_type = i64)]
    page: u32,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
}

impl Read for HookEventParams {
    fn read(query: &mut Query) -> Option<Self> {
        let known = "must be one of waiting, done, ignored, failed";
        let page = query.page();
        let state = query.parsed("state", "enum", known, HookState::named);
        let (source, kind) = (query.one("source"), query.one("type"));
        Some(Self { source, kind, state, page: page.page, limit: page.limit.get() })
    }
}

/// Lists the webhooks that came in, the newest first, without their bodies.
#[utoipa::path(
    tag = "webhooks",
    params(HookEventParams),
    responses((status = 200, description = "The events", body = PageView<HookEventView>)),
    security(("bearer" = ["hooks:manage"]))
)]
#[get("/api/v1/hook-events")]
pub async fn list_hook_events(_auth: Auth<ManageHooks>, services: Shared, params: Params<HookEventParams>) -> Answer {
    let Params(asked) = params;
    let filter = HookFilter { source: asked.source, kind: asked.kind, state: asked.state };
    let page = PageRequest { page: asked.page, limit: Limit::new(asked.limit).unwrap_or_default() };
    let events = services.hooks.queries.list(&filter, page).await?;
    Ok(HttpResponse::Ok().json(PageView::from(events.map(HookEventView::from))))
}

/// Reads a webhook that came in, with its body.
#[utoipa::path(
    tag = "webhooks",
    params(Id<HookEventId>, IfNoneMatch),
    responses(
        (status = 200, description = "The event", body = HookEventView),
        (status = 404, description = "No such event, or it is not kept any more"),
        IfNoneMatch,
    ),
    security(("bearer" = ["hooks:manage"]))
)]
#[get("/api/v1/hook-events/{id}")]
pub async fn get_hook_event(
    _auth: Auth<ManageHooks>,
    services: Shared,
    id: Id<HookEventId>,
    known: IfNoneMatch,
) -> Answer {
    let event = services.hooks.queries.get(id.0).await?.ok_or(Error::NotFound("Hook event"))?;
    etag::read(&known, None, &HookEventView::from(event))
}

/// Has a webhook handled again, by a job of its own.
#[utoipa::path(
    tag = "webhooks",
    params(Id<HookEventId>),
    responses(
        (status = 202, description = "The event, which waits again", body = HookEventView),
        (status = 404, description = "No such event, or it is not kept any more"),
        (status = 409, description = "It waits still, or its body is not kept any more"),
    ),
    security(("bearer" = ["hooks:manage"]))
)]
#[post("/api/v1/hook-events/{id}/replay")]
pub async fn replay_hook_event(auth: Auth<ManageHooks>, services: Shared, id: Id<HookEventId>) -> Answer {
    replay_hook(&services.shop, &auth.0, id.0).await?;
    let event = services.hooks.queries.get(id.0).await?.ok_or(Error::NotFound("Hook event"))?;
    Ok(HttpResponse::Accepted().json(HookEventView::from(event)))
}
