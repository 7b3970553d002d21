//! Whether we live and whether we can serve (ruling R5), and the metrics.

use actix_web::{HttpResponse, get, http::StatusCode};
use chrono::{DateTime, Utc};
use domain::dependency::{self, Absence};
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{Answer, Shared};

/// That the process lives.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `healthy`.
    #[schema(example = "healthy")]
    status: &'static str,
    /// The present moment.
    timestamp: DateTime<Utc>,
    /// Seconds since the process started.
    #[schema(example = 4711, minimum = 0)]
    uptime: i64,
}

/// Tells that the process lives.
#[utoipa::path(tag = "health", responses((status = 200, description = "The process lives", body = Health)))]
#[get("/health")]
pub async fn get_health(services: Shared) -> HttpResponse {
    let timestamp = services.shop.now();
    let uptime = (timestamp - services.started).num_seconds().max(0);
    HttpResponse::Ok().json(Health { status: "healthy", timestamp, uptime })
}

/// What we stand on, by name, and how it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"database": true, "redis": true, "degraded": [], "embedded": ["redis"]}))]
pub struct Readiness {
    /// Each thing we stand on, such as `database`, and whether it answers.
    #[serde(flatten)]
    #[schema(value_type = std::collections::BTreeMap<String, bool>)]
    things: Map<String, Value>,
    /// Optional things that do not answer; we serve without them.
    #[schema(example = json!([]))]
    degraded: Vec<&'static str>,
    /// What it means that something is away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    modes: Vec<Absent>,
    /// Things that live in this process in this configuration.
    #[schema(example = json!(["redis"]))]
    embedded: Vec<&'static str>,
}

/// What it means that something is away.
#[derive(Debug, Serialize, ToSchema)]
pub struct Absent {
    /// What is away.
    #[schema(example = "redis")]
    name: &'static str,
    /// What does not work.
    #[schema(example = "limits over all nodes")]
    lacks: &'static str,
    /// What still does.
    #[schema(example = "everything")]
    works: &'static str,
    /// What whoever needs it is answered, where anybody notices.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, example = "503 UNAVAILABLE with Retry-After")]
    answer: Option<&'static str>,
}

impl Absent {
    fn without(name: &str) -> Option<Self> {
        dependency::absence(name).map(|&Absence { name, lacks, works, answer, .. }| Self { name, lacks, works, answer })
    }
}

/// Tells whether requests can be served. A node that is about to end says 503 while it still serves, so that requests are
/// sent to others.
#[utoipa::path(
    tag = "health",
    responses(
        (status = 200, description = "All that is required answers", body = Readiness),
        (status = 503, description = "Something required does not answer, or this node is about to end (`serving` is false)", body = Readiness),
    )
)]
#[get("/ready")]
pub async fn get_ready(services: Shared) -> HttpResponse {
    if services.draining.is_on() {
        let things = Map::from_iter([("serving".to_owned(), false.into())]);
        let ready = Readiness { things, degraded: Vec::new(), modes: Vec::new(), embedded: Vec::new() };
        return HttpResponse::ServiceUnavailable().json(ready);
    }
    let answers = join_all(services.probes.iter().map(|probe| probe.check())).await;
    let mut ready = Readiness { things: Map::new(), degraded: Vec::new(), modes: Vec::new(), embedded: Vec::new() };
    let mut status = StatusCode::OK;
    for (probe, answers) in services.probes.iter().zip(answers) {
        ready.things.insert(probe.name().to_owned(), answers.into());
        if probe.embedded() {
            ready.embedded.push(probe.name());
        }
        if !answers {
            ready.modes.extend(Absent::without(probe.name()));
        }
        if !answers && probe.required() {
            status = StatusCode::SERVICE_UNAVAILABLE;
        } else if !answers {
            ready.degraded.push(probe.name());
        }
    }
    HttpResponse::build(status).json(ready)
}

/// All metrics, in the text format of Prometheus.
pub async fn metrics(services: Shared) -> Answer {
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body((services.metrics)()))
}
