//! What models cost, and from when on.

use actix_web::{HttpResponse, delete, get, http::StatusCode, post};
use chrono::{DateTime, Utc};
use domain::{
    assistant::{
        Price,
        terms::{PriceInput, StoredPrice, create_price, withdraw_price},
        write_amount,
    },
    id::AssistantPriceId,
    page::{Limit, Page, PageRequest},
    permission::ManageAssistant,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    Answer, Shared,
    auth::Auth,
    body::{Fields, JsonBody},
    done::Done,
    idempotency::{Keyed, reply},
    page::PageView,
    path::Id,
    query::{Params, Query, Read},
};

/// What a model costs from a moment on. Amounts are decimal numbers in the assistant's currency, for a million tokens.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantPrice)]
#[serde(rename_all = "camelCase")]
pub struct PriceView {
    /// Its id; null for one of the settings.
    pub id: Option<Uuid>,
    /// Provider and model there.
    #[schema(example = "openai/gpt-4o-mini")]
    pub deployment: String,
    /// From when on.
    pub from: DateTime<Utc>,
    /// Until when, exclusively; null for as long as no later one is there.
    pub until: Option<DateTime<Utc>>,
    /// What is asked.
    #[schema(example = "0.15")]
    pub input: String,
    /// What is asked and was read before.
    #[schema(example = "0.075")]
    pub cached: String,
    /// What is answered.
    #[schema(example = "0.6")]
    pub output: String,
    /// What is thought.
    #[schema(example = "0.6")]
    pub reasoning: String,
    /// When it was set; null for one of the settings.
    pub created_at: Option<DateTime<Utc>>,
}

impl PriceView {
    fn of(price: &Price, stored: Option<&StoredPrice>) -> Self {
        let amount = |millionths| write_amount(millionths, 6);
        Self {
            id: stored.map(|one| one.id.0),
            deployment: price.deployment.clone(),
            from: price.from,
            until: price.until,
            input: amount(price.input),
            cached: amount(price.cached),
            output: amount(price.output),
            reasoning: amount(price.reasoning),
            created_at: stored.map(|one| one.created_at),
        }
    }
}

/// What sets a price.
#[derive(Debug, ToSchema)]
#[schema(as = NewAssistantPrice)]
#[serde(rename_all = "camelCase")]
pub struct PriceBody {
    /// Provider and model there.
    #[schema(
        example = "openai/gpt-4o-mini",
        min_length = 3,
        max_length = 200,
        pattern = r"^[^/\x00-\x1f\x7f-\x9f]+/[^\x00-\x1f\x7f-\x9f]+$"
    )]
    pub deployment: String,
    /// From when on, a moment to come; at once when absent.
    #[schema(example = "2099-01-31T12:00:00Z")]
    pub from: Option<DateTime<Utc>>,
    /// What is asked, for a million tokens.
    #[schema(example = "0.15", pattern = r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
    pub input: String,
    /// What is asked and was read before; as much as `input` when absent.
    #[schema(example = "0.075", pattern = r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
    pub cached: Option<String>,
    /// What is answered.
    #[schema(example = "0.6", pattern = r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
    pub output: String,
    /// What is thought; as much as `output` when absent.
    #[schema(example = "0.6", pattern = r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
    pub reasoning: Option<String>,
}

fn new_price(fields: &mut Fields<'_>) -> PriceInput {
    PriceInput {
        deployment: fields.text("deployment"),
        from: fields.moment("from"),
        input: fields.text("input"),
        cached: fields.text("cached"),
        output: fields.text("output"),
        reasoning: fields.text("reasoning"),
    }
}

/// Which prices.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct PricesParams {
    /// Those of this deployment.
    #[param(example = "openai/gpt-4o-mini", pattern = r"^[^\x00]*$")]
    deployment: Option<String>,
    /// The page, from 1.
    #[param(required = false, minimum = 1, maximum = 4_294_967_295_i64, default = 1, value_type = i64)]
    page: u32,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
}

impl Read for PricesParams {
    fn read(query: &mut Query) -> Option<Self> {
        let page = query.page();
        Some(Self { deployment: query.one("deployment"), page: page.page, limit: page.limit.get() })
    }
}

/// The page asked for of a list that is whole.
pub(super) fn page_of<T>(all: Vec<T>, page: u32, limit: u32) -> PageView<T> {
    let request = PageRequest { page, limit: Limit::new(limit).unwrap_or_default() };
    let total = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let skip = usize::try_from(request.offset()).unwrap_or(usize::MAX);
    let take = usize::try_from(request.limit.get()).unwrap_or(usize::MAX);
    PageView::from(Page::new(all.into_iter().skip(skip).take(take).collect(), total, request))
}

/// Lists prices by deployment and moment: those of the settings, and those that were set. Of several the one that began last holds.
#[utoipa::path(
    tag = "assistant",
    params(PricesParams),
    responses((status = 200, description = "The prices", body = PageView<PriceView>)),
    security(("bearer" = ["assistant:manage"]))
)]
#[get("/api/v1/assistant/prices")]
pub async fn list_assistant_prices(
    _auth: Auth<ManageAssistant>,
    services: Shared,
    params: Params<PricesParams>,
) -> Answer {
    let Params(PricesParams { deployment, page, limit }) = params;
    let terms = &services.assistant.terms;
    let stored = terms.queries.terms().await?;
    let mut all: Vec<PriceView> = terms.settings.prices.iter().map(|price| PriceView::of(price, None)).collect();
    all.extend(stored.prices.iter().map(|one| PriceView::of(&one.price, Some(one))));
    all.retain(|one| deployment.as_ref().is_none_or(|wanted| one.deployment == *wanted));
    // What was set at the moment of a setting comes after it, as it counts.
    all.sort_by(|a, b| (&a.deployment, a.from).cmp(&(&b.deployment, b.from)));
    Ok(HttpResponse::Ok().json(page_of(all, page, limit)))
}

/// Sets what a model costs from a moment on, in place of what was said of it before. Calls that were made keep what they cost.
#[utoipa::path(
    tag = "assistant",
    request_body = PriceBody,
    params(Keyed),
    responses(
        (status = 201, description = "The price", body = PriceView),
        (status = 409, description = "There is one of that moment, or there are too many"),
        Keyed,
    ),
    security(("bearer" = ["assistant:manage"]))
)]
#[post("/api/v1/assistant/prices")]
pub async fn create_assistant_price(
    auth: Auth<ManageAssistant>,
    services: Shared,
    keyed: Keyed,
    body: JsonBody,
) -> Answer {
    let now = services.shop.now();
    let new = body.read(|fields| new_price(fields).check(now, &mut fields.violations))?;
    let render = |one: &StoredPrice| reply(StatusCode::CREATED, Vec::new(), &PriceView::of(&one.price, Some(one)));
    let answer = keyed
        .run(&services, "create_assistant_price", &body, render, async |once| {
            create_price(&services.shop, auth.0, new, once).await
        })
        .await;
    services.heed_terms().await;
    answer
}

/// Takes a price back that does not hold yet. One that holds stays: set another, which supersedes it.
#[utoipa::path(
    tag = "assistant",
    params(Id<AssistantPriceId>),
    responses(
        (status = 200, description = "It is taken back", body = Done),
        (status = 404, description = "No such price"),
        (status = 409, description = "It holds already"),
    ),
    security(("bearer" = ["assistant:manage"]))
)]
#[delete("/api/v1/assistant/prices/{id}")]
pub async fn withdraw_assistant_price(
    auth: Auth<ManageAssistant>,
    services: Shared,
    id: Id<AssistantPriceId>,
) -> Answer {
    withdraw_price(&services.shop, auth.0, id.0).await?;
    services.heed_terms().await;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
