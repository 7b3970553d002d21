//! How much may be spent on models.

use actix_web::{HttpResponse, delete, get, http::StatusCode, patch, post};
use chrono::{DateTime, Utc};
use domain::{
    Error,
    assistant::{
        Budget, BudgetBy, BudgetSpan,
        spending::SpentWindow,
        terms::{BudgetInput, BudgetPatch, StoredBudget, create_budget, delete_budget, update_budget},
        write_amount,
    },
    id::AssistantBudgetId,
    permission::ManageAssistant,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::prices::page_of;
use crate::{
    Answer, Shared,
    auth::Auth,
    body::{Fields, Given, JsonBody},
    done::Done,
    idempotency::{Keyed, reply},
    page::{PageParams, PageView},
    path::Id,
    query::Params,
};

/// Windows that are shown of a budget.
const WINDOWS: u32 = 100;

/// Whose calls count together.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(as = AssistantBudgetBy, rename_all = "lowercase")]
pub enum ByName {
    /// Those of each person.
    User,
    /// Everybody's.
    All,
    /// Those with each API key.
    Key,
    /// Those for each seller account.
    Seller,
    /// Those of each model.
    Model,
}

/// A stretch of time, by the calendar in UTC.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(as = AssistantBudgetSpan, rename_all = "lowercase")]
pub enum SpanName {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week, from Monday on.
    Week,
    /// A month.
    Month,
}

/// How much may be spent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantBudget)]
#[serde(rename_all = "camelCase")]
pub struct BudgetView {
    /// Its id; null for one of the settings.
    pub id: Option<Uuid>,
    /// Its name, which refusals tell.
    #[schema(example = "daily")]
    pub name: String,
    /// Whose calls count together.
    #[schema(value_type = ByName)]
    pub by: &'static str,
    /// Of this person, key or seller account alone.
    pub subject_id: Option<Uuid>,
    /// In which stretch of time.
    #[schema(value_type = SpanName)]
    pub span: &'static str,
    /// Of this model alone.
    #[schema(example = "small")]
    pub model: Option<String>,
    /// How much money, a decimal number in the assistant's currency.
    #[schema(example = "2.5")]
    pub cost: Option<String>,
    /// How many tokens.
    #[schema(example = 100_000, minimum = 0)]
    pub tokens: Option<u64>,
    /// How many calls.
    #[schema(example = 500, minimum = 0)]
    pub calls: Option<u64>,
    /// When it was made; null for one of the settings.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last changed; null for one of the settings.
    pub updated_at: Option<DateTime<Utc>>,
}

impl BudgetView {
    fn of(budget: &Budget, stored: Option<&StoredBudget>) -> Self {
        Self {
            id: stored.map(|one| one.id.0),
            name: budget.name.clone(),
            by: budget.by.name(),
            subject_id: budget.subject,
            span: budget.span.name(),
            model: budget.model.clone(),
            cost: budget.cost.map(|cost| write_amount(cost, 9)),
            tokens: budget.tokens,
            calls: budget.calls,
            created_at: stored.map(|one| one.created_at),
            updated_at: stored.map(|one| one.updated_at),
        }
    }
}

impl From<&StoredBudget> for BudgetView {
    fn from(stored: &StoredBudget) -> Self {
        Self::of(&stored.budget, Some(stored))
    }
}

/// What was spent in the present stretch of time, reservations included.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantWindow)]
#[serde(rename_all = "camelCase")]
pub struct WindowView {
    /// For whom: `all`, or a kind and what it names.
    #[schema(example = "user:0190f5fe-7c00-7a00-8000-0123456789ab")]
    pub subject: String,
    /// When the stretch began.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// How much money.
    #[schema(example = "0.75")]
    pub cost: String,
    /// How many tokens.
    #[schema(example = 30_000, minimum = 0)]
    pub tokens: u64,
    /// How many calls.
    #[schema(example = 120, minimum = 0)]
    pub calls: u64,
}

impl WindowView {
    fn of((window, spent): &SpentWindow, span: BudgetSpan) -> Self {
        Self {
            subject: window.subject.clone(),
            starts_at: window.starts_at,
            ends_at: span.end(window.starts_at),
            cost: write_amount(spent.cost, 9),
            tokens: spent.tokens,
            calls: spent.calls,
        }
    }
}

/// A budget, and what was spent of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssistantBudgetSpent)]
#[serde(rename_all = "camelCase")]
pub struct SpentView {
    /// The budget.
    #[serde(flatten)]
    pub budget: BudgetView,
    /// What was spent in the present stretch of time; the hundred that spent most.
    pub spent: Vec<WindowView>,
}

/// What makes a budget. At least one of `cost`, `tokens` and `calls` is said.
#[derive(Debug, ToSchema)]
#[schema(as = NewAssistantBudget)]
#[serde(rename_all = "camelCase")]
pub struct BudgetBody {
    /// Its name, which refusals tell; it stays.
    #[schema(example = "daily", pattern = "^[a-z0-9_-]{1,64}$")]
    pub name: String,
    /// Whose calls count together.
    #[schema(value_type = ByName)]
    pub by: String,
    /// Of this person, key or seller account alone; of each when absent.
    pub subject_id: Option<Uuid>,
    /// In which stretch of time.
    #[schema(value_type = SpanName)]
    pub span: String,
    /// Of this model alone.
    #[schema(example = "small", min_length = 1, max_length = 100, format = "name")]
    pub model: Option<String>,
    /// How much money, a decimal number in the assistant's currency.
    #[schema(example = "2.5", pattern = r"^[0-9]{1,9}(\.[0-9]{1,9})?$")]
    pub cost: Option<String>,
    /// How many tokens, of questions and answers.
    #[schema(example = 100_000, minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    pub tokens: Option<i64>,
    /// How many calls.
    #[schema(example = 500, minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    pub calls: Option<i64>,
}

fn new_budget(fields: &mut Fields<'_>) -> BudgetInput {
    BudgetInput {
        name: fields.text("name"),
        by: fields.choice("by", BudgetBy::named, "all, user, key, seller and model"),
        subject: fields.uuid("subjectId"),
        span: fields.choice("span", BudgetSpan::named, "second, minute, hour, day, week and month"),
        model: fields.text("model"),
        cost: fields.text("cost"),
        tokens: fields.integer("tokens"),
        calls: fields.integer("calls"),
    }
}

/// A change of how much may be spent: what is absent stays, null is without bound. One of them stays.
#[derive(Debug, ToSchema)]
#[schema(as = AssistantBudgetPatch)]
#[serde(rename_all = "camelCase")]
pub struct BudgetPatchBody {
    /// How much money.
    #[schema(example = "5", pattern = r"^[0-9]{1,9}(\.[0-9]{1,9})?$")]
    pub cost: Option<String>,
    /// How many tokens.
    #[schema(example = 200_000, minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    pub tokens: Option<i64>,
    /// How many calls.
    #[schema(example = 1000, minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    pub calls: Option<i64>,
}

fn budget_patch(fields: &mut Fields<'_>) -> BudgetPatch {
    fields.of_a_change();
    let mut patch = BudgetPatch::default();
    match fields.text_or_null("cost") {
        Given::Value(text) => patch.cost(Some(&text), &mut fields.violations),
        Given::Null => patch.cost(None, &mut fields.violations),
        Given::Absent => {}
    }
    match fields.integer_or_null("tokens") {
        Given::Value(number) => patch.tokens(Some(number), &mut fields.violations),
        Given::Null => patch.tokens(None, &mut fields.violations),
        Given::Absent => {}
    }
    match fields.integer_or_null("calls") {
        Given::Value(number) => patch.calls(Some(number), &mut fields.violations),
        Given::Null => patch.calls(None, &mut fields.violations),
        Given::Absent => {}
    }
    patch
}

/// Lists budgets: those of the settings, then those that were made, by name.
#[utoipa::path(
    tag = "assistant",
    params(PageParams),
    responses((status = 200, description = "The budgets", body = PageView<BudgetView>)),
    security(("bearer" = ["assistant:manage"]))
)]
#[get("/api/v1/assistant/budgets")]
pub async fn list_assistant_budgets(
    _auth: Auth<ManageAssistant>,
    services: Shared,
    params: Params<PageParams>,
) -> Answer {
    let terms = &services.assistant.terms;
    let stored = terms.queries.terms().await?;
    let mut all: Vec<BudgetView> = terms.settings.budgets.iter().map(|budget| BudgetView::of(budget, None)).collect();
    all.extend(stored.budgets.iter().map(BudgetView::from));
    let request = params.0.request();
    Ok(HttpResponse::Ok().json(page_of(all, request.page, request.limit.get())))
}

/// Makes a budget, which counts calls from now on, on every node.
#[utoipa::path(
    tag = "assistant",
    request_body = BudgetBody,
    params(Keyed),
    responses(
        (status = 201, description = "The budget", body = BudgetView),
        (status = 409, description = "The name is taken, there are too many, or calls are not written down before they are made"),
        Keyed,
    ),
    security(("bearer" = ["assistant:manage"]))
)]
#[post("/api/v1/assistant/budgets")]
pub async fn create_assistant_budget(
    auth: Auth<ManageAssistant>,
    services: Shared,
    keyed: Keyed,
    body: JsonBody,
) -> Answer {
    let new = body.read(|fields| new_budget(fields).check(&mut fields.violations))?;
    let render = |one: &StoredBudget| {
        let location = ("Location".to_owned(), format!("/api/v1/assistant/budgets/{}", one.id));
        reply(StatusCode::CREATED, vec![location], &BudgetView::from(one))
    };
    let answer = keyed
        .run(&services, "create_assistant_budget", &body, render, async |once| {
            create_budget(&services.shop, &services.assistant.terms, auth.0, new, once).await
        })
        .await;
    services.heed_terms().await;
    answer
}

/// Reads a budget, and what was spent of it in the present stretch of time.
#[utoipa::path(
    tag = "assistant",
    params(Id<AssistantBudgetId>),
    responses(
        (status = 200, description = "The budget", body = SpentView),
        (status = 404, description = "No such budget"),
    ),
    security(("bearer" = ["assistant:manage"]))
)]
#[get("/api/v1/assistant/budgets/{id}")]
pub async fn get_assistant_budget(_auth: Auth<ManageAssistant>, services: Shared, id: Id<AssistantBudgetId>) -> Answer {
    let stored = services.assistant.terms.queries.terms().await?;
    let found = stored.budgets.iter().find(|one| one.id == id.0).ok_or(Error::NotFound("Budget"))?;
    let Budget { name, span, .. } = &found.budget;
    let windows = services.assistant.spending.windows(name, span.start(services.shop.now()), WINDOWS).await?;
    let spent = windows.iter().map(|window| WindowView::of(window, *span)).collect();
    Ok(HttpResponse::Ok().json(SpentView { budget: found.into(), spent }))
}

/// Changes how much may be spent; what was spent in the present stretch of time counts on.
#[utoipa::path(
    tag = "assistant",
    request_body = BudgetPatchBody,
    params(Id<AssistantBudgetId>),
    responses(
        (status = 200, description = "The budget", body = BudgetView),
        (status = 404, description = "No such budget"),
    ),
    security(("bearer" = ["assistant:manage"]))
)]
#[patch("/api/v1/assistant/budgets/{id}")]
pub async fn update_assistant_budget(
    auth: Auth<ManageAssistant>,
    services: Shared,
    id: Id<AssistantBudgetId>,
    body: JsonBody,
) -> Answer {
    let patch = body.read(|fields| Some(budget_patch(fields)))?;
    let budget = update_budget(&services.shop, auth.0, id.0, patch).await?;
    services.heed_terms().await;
    Ok(HttpResponse::Ok().json(BudgetView::from(&budget)))
}

/// Removes a budget.
#[utoipa::path(
    tag = "assistant",
    params(Id<AssistantBudgetId>),
    responses(
        (status = 200, description = "It is removed", body = Done),
        (status = 404, description = "No such budget"),
    ),
    security(("bearer" = ["assistant:manage"]))
)]
#[delete("/api/v1/assistant/budgets/{id}")]
pub async fn delete_assistant_budget(
    auth: Auth<ManageAssistant>,
    services: Shared,
    id: Id<AssistantBudgetId>,
) -> Answer {
    delete_budget(&services.shop, auth.0, id.0).await?;
    services.heed_terms().await;
    Ok(HttpResponse::Ok().json(Done { success: true }))
}
