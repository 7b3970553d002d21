//! How the versions of a prompt do.

use std::time::Duration;

use actix_web::{HttpResponse, get};
use chrono::{DateTime, Utc};
use domain::{
    assistant::{
        prompts::{MetricTally, VersionTally},
        write_amount,
    },
    clock::Timestamp,
    permission::WritePrompts,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::parameters::PromptName;
use crate::{
    Answer, Shared,
    auth::Auth,
    problem::{In, Problem},
    query::{Params, Query, Read},
    spending::{TokensView, moment},
};

/// What is told of when nobody says from when.
const USUAL: Duration = Duration::from_hours(24 * 30);

/// Of which stretch of time.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportParams {
    /// From this moment on; the last 30 days when absent.
    #[param(example = "2026-11-01T00:00:00Z")]
    from: Option<DateTime<Utc>>,
    /// Until this moment, exclusively; now when absent.
    #[param(example = "2026-12-01T00:00:00Z")]
    to: Option<DateTime<Utc>>,
}

impl Read for ReportParams {
    fn read(query: &mut Query) -> Option<Self> {
        Some(Self { from: moment(query, "from"), to: moment(query, "to") })
    }
}

impl ReportParams {
    fn within(self, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
        let until = self.to.unwrap_or(now);
        let from = self.from.unwrap_or(until - USUAL);
        if from > until {
            return Err(Problem::broken(In::Query, "from", "range", "must be no later than to"));
        }
        Ok((from, until))
    }
}

/// What was said of the answers of a version by one measure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromptMetric)]
#[serde(rename_all = "camelCase")]
pub struct MetricView {
    /// What is measured.
    #[schema(example = "success")]
    pub metric: String,
    /// Whether all that was said is true or false, so that the average is a share.
    #[schema(example = true)]
    pub share: bool,
    /// How often it was measured.
    #[schema(example = 120, minimum = 0)]
    pub count: u64,
    /// The average.
    #[schema(example = 0.9)]
    pub mean: Option<f64>,
    /// The lower end of what the true average lies in, in 95 of 100 cases; null when too little was said.
    #[schema(example = 0.83)]
    pub low: Option<f64>,
    /// The upper end.
    #[schema(example = 0.94)]
    pub high: Option<f64>,
    /// Whether too little was said to tell: fewer than 30.
    #[schema(example = false)]
    pub too_few: bool,
}

impl From<&MetricTally> for MetricView {
    fn from(tally: &MetricTally) -> Self {
        let interval = tally.interval();
        Self {
            metric: tally.metric.clone(),
            share: tally.is_share(),
            count: tally.count,
            mean: tally.mean(),
            low: interval.map(|(low, _)| low),
            high: interval.map(|(_, high)| high),
            too_few: interval.is_none(),
        }
    }
}

/// How a version did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromptVersionReport)]
#[serde(rename_all = "camelCase")]
pub struct VersionReportView {
    /// Its number.
    #[schema(example = 1, minimum = 1)]
    pub version: i64,
    /// How often it was asked.
    #[schema(example = 130, minimum = 0)]
    pub runs: u64,
    /// Of these, those that go on.
    #[schema(example = 0, minimum = 0)]
    pub open: u64,
    /// Those that were answered.
    #[schema(example = 125, minimum = 0)]
    pub done: u64,
    /// Those that failed.
    #[schema(example = 4, minimum = 0)]
    pub failed: u64,
    /// Those that were refused before a model was asked.
    #[schema(example = 1, minimum = 0)]
    pub refused: u64,
    /// How many milliseconds an answer took on the average.
    #[schema(example = 1250, minimum = 0)]
    pub usual_milliseconds: Option<u64>,
    /// The calls of models it made.
    #[schema(example = 131, minimum = 0)]
    pub calls: u64,
    /// The tokens of these.
    pub tokens: TokensView,
    /// What they cost, a decimal number in the assistant's currency.
    #[schema(example = "0.75")]
    pub cost: String,
    /// How its answers turned out.
    pub outcomes: Vec<MetricView>,
}

impl From<&VersionTally> for VersionReportView {
    fn from(tally: &VersionTally) -> Self {
        let milliseconds = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Self {
            version: tally.version,
            runs: tally.runs,
            open: tally.open,
            done: tally.done,
            failed: tally.failed,
            refused: tally.refused,
            usual_milliseconds: tally.usual_time().map(milliseconds),
            calls: tally.calls,
            tokens: tally.usage.into(),
            cost: write_amount(tally.cost, 9),
            outcomes: tally.metrics.iter().map(MetricView::from).collect(),
        }
    }
}

/// How the versions of a prompt did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PromptReport)]
pub struct ReportView {
    /// From this moment on.
    pub from: DateTime<Utc>,
    /// Until this moment, exclusively.
    pub to: DateTime<Utc>,
    /// The currency of costs.
    #[schema(example = "EUR")]
    pub currency: String,
    /// The versions that were asked, by number.
    pub versions: Vec<VersionReportView>,
}

/// Tells how the versions of a prompt did: how often each was asked, what that cost, and how its answers turned out.
#[utoipa::path(
    tag = "assistant",
    params(PromptName, ReportParams),
    responses(
        (status = 200, description = "How they did", body = ReportView),
        (status = 404, description = "No such prompt"),
    ),
    security(("bearer" = ["prompts:write"]))
)]
#[get("/api/v1/assistant/prompts/{name}/report")]
pub async fn get_prompt_report(
    _auth: Auth<WritePrompts>,
    services: Shared,
    path: PromptName,
    params: Params<ReportParams>,
) -> Answer {
    let (from, to) = params.0.within(services.shop.now())?;
    let assistance = &services.assistant;
    let prompt = assistance.prompts.named(&path.name).await?;
    let tallies = assistance.prompts.queries.report(prompt.id, from, to).await?;
    let versions = tallies.iter().map(VersionReportView::from).collect();
    let currency = assistance.currency.code().to_owned();
    Ok(HttpResponse::Ok().json(ReportView { from, to, currency, versions }))
}
