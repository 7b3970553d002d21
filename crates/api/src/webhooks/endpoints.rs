//! Endpoints.

use std::time::Duration;

use actix_web::{HttpResponse, delete, get, http::StatusCode, patch, post};
use domain::{
    Error,
    id::{EndpointId, SellerId},
    permission::{Authorized, ManageWebhooks},
    webhooks::{self, Endpoint, MadeEndpoint, Owner, policy},
};

use super::dto::{
    EndpointBody, EndpointPatchBody, EndpointView, EndpointsParams, MadeEndpointView, StatsView, change, new_endpoint,
};
use crate::{
    Answer, Services, Shared,
    auth::Auth,
    body::JsonBody,
    done::Done,
    etag::{self, IfNoneMatch},
    idempotency::{Keyed, reply},
    page::PageView,
    path::Id,
    query::Params,
};

const DAY: Duration = Duration::from_hours(24);

/// Lists one's own webhook endpoints, those of a seller account one manages, or those that hear the whole shop; the newest first.
#[utoipa::path(
    tag = "webhooks",
    params(EndpointsParams),
    responses(
        (status = 200, description = "The endpoints", body = PageView<EndpointView>),
        (status = 404, description = "No such seller account, or not for you to see"),
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[get("/api/v1/webhooks/endpoints")]
pub async fn list_webhook_endpoints(
    auth: Auth<ManageWebhooks>,
    services: Shared,
    params: Params<EndpointsParams>,
) -> Answer {
    let (seller, shop, page) = params.0.asked();
    let owner = owner(&auth.0, seller, shop);
    policy::may_manage(auth.0.principal(), owner, services.role_for(&auth.0, owner).await?)?;
    let found = services.webhooks.queries.list(owner, page).await?;
    Ok(HttpResponse::Ok().json(PageView::from(found.map(|one| EndpointView::from(&one)))))
}

/// Makes a webhook endpoint, which hears from now on. What its receiver verifies with is in the answer.
#[utoipa::path(
    tag = "webhooks",
    request_body = EndpointBody,
    params(Keyed),
    responses(
        (status = 201, description = "The endpoint with its secret", body = MadeEndpointView),
        (status = 404, description = "No such seller account, or not for you to see"),
        (status = 409, description = "There are too many"),
        Keyed,
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[post("/api/v1/webhooks/endpoints")]
pub async fn create_webhook_endpoint(
    auth: Auth<ManageWebhooks>,
    services: Shared,
    keyed: Keyed,
    body: JsonBody,
) -> Answer {
    let hooks = &services.webhooks;
    let (new, seller, shop) = body.read(|fields| {
        let (input, seller, shop) = new_endpoint(fields);
        let new = input.check(hooks.addresses.as_ref(), &mut fields.violations)?;
        Some((new, seller, shop))
    })?;
    let owner = owner(&auth.0, seller, shop);
    let made = |made: &MadeEndpoint, view: &MadeEndpointView| {
        let location = ("Location".to_owned(), format!("/api/v1/webhooks/endpoints/{}", made.endpoint.id));
        reply(StatusCode::CREATED, vec![location, ("Cache-Control".to_owned(), "no-store".to_owned())], view)
    };
    let kept = |one: &MadeEndpoint| made(one, &MadeEndpointView::kept(one));
    let shown = |one: &MadeEndpoint| made(one, &MadeEndpointView::shown(one));
    keyed
        .run_shown(&services, "create_webhook_endpoint", &body, kept, shown, async |once| {
            webhooks::create_endpoint(&services.shop, &hooks.keyring, hooks.rules, &auth.0, owner, &new, once).await
        })
        .await
}

/// Reads a webhook endpoint.
#[utoipa::path(
    tag = "webhooks",
    params(Id<EndpointId>, IfNoneMatch),
    responses(
        (status = 200, description = "The endpoint", body = EndpointView),
        (status = 404, description = "No such endpoint, or not yours"),
        IfNoneMatch,
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[get("/api/v1/webhooks/endpoints/{id}")]
pub async fn get_webhook_endpoint(
    auth: Auth<ManageWebhooks>,
    services: Shared,
    id: Id<EndpointId>,
    known: IfNoneMatch,
) -> Answer {
    etag::read(&known, None, &EndpointView::from(&services.own_endpoint(&auth.0, id.0).await?))
}

/// Changes a webhook endpoint; also switches it on and off.
#[utoipa::path(
    tag = "webhooks",
    request_body = EndpointPatchBody,
    params(Id<EndpointId>),
    responses(
        (status = 200, description = "The endpoint", body = EndpointView),
        (status = 404, description = "No such endpoint, or not yours"),
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[patch("/api/v1/webhooks/endpoints/{id}")]
pub async fn update_webhook_endpoint(
    auth: Auth<ManageWebhooks>,
    services: Shared,
    id: Id<EndpointId>,
    body: JsonBody,
) -> Answer {
    let addresses = services.webhooks.addresses.as_ref();
    let change = body.read(|fields| change(fields).check_change(addresses, &mut fields.violations))?;
    let endpoint = webhooks::change_endpoint(&services.shop, &auth.0, id.0, &change).await?;
    Ok(HttpResponse::Ok().json(EndpointView::from(&endpoint)))
}

/// Deletes a webhook endpoint with its messages.
#[utoipa::path(
    tag = "webhooks",
    params(Id<EndpointId>),
    responses(
        (status = 200, description = "It is deleted", body = Done),
        (status = 404, description = "No such endpoint, or not yours"),
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[delete("/api/v1/webhooks/endpoints/{id}")]
pub async fn delete_webhook_endpoint(auth: Auth<ManageWebhooks>, services: Shared, id: Id<EndpointId>) -> Answer {
    webhooks::delete_endpoint(&services.shop, &auth.0, id.0).await?;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}

/// Tells how a webhook endpoint is doing.
#[utoipa::path(
    tag = "webhooks",
    params(Id<EndpointId>),
    responses(
        (status = 200, description = "How it is doing", body = StatsView),
        (status = 404, description = "No such endpoint, or not yours"),
    ),
    security(("bearer" = ["webhooks:manage"]))
)]
#[get("/api/v1/webhooks/endpoints/{id}/stats")]
pub async fn get_webhook_stats(auth: Auth<ManageWebhooks>, services: Shared, id: Id<EndpointId>) -> Answer {
    services.own_endpoint(&auth.0, id.0).await?;
    let stats = services.webhooks.queries.stats(id.0, services.shop.now() - DAY).await?;
    Ok(HttpResponse::Ok().json(StatsView::from(&stats)))
}

/// Whose endpoints are meant.
fn owner(by: &Authorized<ManageWebhooks>, seller: Option<SellerId>, shop: bool) -> Owner {
    match seller {
        Some(seller) => Owner::Seller(seller),
        None if shop => Owner::Shop,
        None => Owner::Person(by.principal().user),
    }
}

impl Services {
    /// What the caller may do in the account of an owner.
    async fn role_for(
        &self,
        by: &Authorized<ManageWebhooks>,
        owner: Owner,
    ) -> domain::Result<Option<domain::organisation::MemberRole>> {
        match owner.seller() {
            Some(seller) => self.access.organisations.role_in(seller, by.principal().user).await,
            None => Ok(None),
        }
    }

    /// An endpoint that the caller may see. To others it does not exist.
    pub(super) async fn own_endpoint(
        &self,
        by: &Authorized<ManageWebhooks>,
        id: EndpointId,
    ) -> domain::Result<Endpoint> {
        let found = self.webhooks.queries.get(id).await?.ok_or(Error::NotFound("Webhook endpoint"))?;
        policy::may_see(by.principal(), found.owner, self.role_for(by, found.owner).await?)?;
        Ok(found)
    }
}
