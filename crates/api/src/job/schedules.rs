//! The schedule over HTTP, for operators.

use actix_web::{HttpResponse, get, post, web::Path};
use domain::{Error, permission::ManageJobs, schedule};

use super::view::{JobView, ScheduleView, SchedulesView};
use crate::{Answer, Shared, auth::Auth};

/// Runs shown of each entry.
const RUNS: u32 = 10;

/// Lists the entries of the schedule with their next and their latest runs.
#[utoipa::path(
    tag = "jobs",
    responses((status = 200, description = "The schedule", body = SchedulesView)),
    security(("bearer" = ["jobs:manage"]))
)]
#[get("/api/v1/schedules")]
pub async fn list_schedules(_auth: Auth<ManageJobs>, services: Shared) -> Answer {
    let now = services.shop.now();
    let mut items = Vec::with_capacity(services.entries.len());
    for entry in services.entries.iter() {
        let runs = services.schedules.runs(entry.name, RUNS).await?;
        items.push(ScheduleView::new(entry, now, runs));
    }
    Ok(HttpResponse::Ok().json(SchedulesView { items }))
}

/// Runs an entry of the schedule now, whether it is on or off.
#[utoipa::path(
    tag = "jobs",
    params(("name" = String, Path, description = "The entry", example = "purge")),
    responses(
        (status = 202, description = "The job, to be done in the background", body = JobView),
        (status = 404, description = "No such entry"),
        (status = 409, description = "It was run at this very moment"),
    ),
    security(("bearer" = ["jobs:manage"]))
)]
#[post("/api/v1/schedules/{name}/run")]
pub async fn run_schedule(auth: Auth<ManageJobs>, services: Shared, name: Path<String>) -> Answer {
    let entry = services.entries.iter().find(|entry| entry.name == name.as_str());
    let entry = entry.ok_or(Error::NotFound("Schedule"))?;
    let job = schedule::run_schedule(&services.shop, auth.0, entry).await?;
    Ok(HttpResponse::Accepted()
        .insert_header(("Location", format!("/api/v1/jobs/{}", job.id)))
        .json(JobView::from(job)))
}
