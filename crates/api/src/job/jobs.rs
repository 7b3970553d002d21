//! Background jobs over HTTP, for operators.

use actix_web::{HttpResponse, get, post};
use domain::{
    Error,
    id::JobId,
    job::{self, JobState, ports::JobFilter},
    page::{Limit, PageRequest},
    permission::ManageJobs,
};
use utoipa::IntoParams;

use super::view::{JobStateView, JobView};
use crate::{
    Answer, Shared,
    auth::Auth,
    etag::{self, IfNoneMatch},
    page::PageView,
    path::Id,
    query::{Params, Query, Read},
};

/// Which jobs to list; every part given must match.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct JobParams {
    /// Jobs that stand there.
    #[param(value_type = Option<JobStateView>)]
    state: Option<JobState>,
    /// Jobs of this kind.
    #[param(example = "purge", pattern = r"^[^\x00]*$")]
    kind: Option<String>,
    /// The page, from 1.
    #[param(required = false, minimum = 1, maximum = 4_294_967_295_i64, default = 1, value_type = i64)]
    page: u32,
    /// Items per page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u32,
}

impl Read for JobParams {
    fn read(query: &mut Query) -> Option<Self> {
        let known = "must be one of waiting, running, done, cancelled, dead";
        let page = query.page();
        let state = query.parsed("state", "enum", known, JobState::named);
        Some(Self { state, kind: query.one("kind"), page: page.page, limit: page.limit.get() })
    }
}

/// Lists background jobs, the newest first.
#[utoipa::path(
    tag = "jobs",
    params(JobParams),
    responses((status = 200, description = "The jobs", body = PageView<JobView>)),
    security(("bearer" = ["jobs:manage"]))
)]
#[get("/api/v1/jobs")]
pub async fn list_jobs(_auth: Auth<ManageJobs>, services: Shared, params: Params<JobParams>) -> Answer {
    let Params(asked) = params;
    let filter = JobFilter { state: asked.state, kind: asked.kind };
    let page = PageRequest { page: asked.page, limit: Limit::new(asked.limit).unwrap_or_default() };
    let jobs = services.jobs.list(&filter, page).await?;
    Ok(HttpResponse::Ok().json(PageView::from(jobs.map(JobView::from))))
}

/// Reads a background job.
#[utoipa::path(
    tag = "jobs",
    params(Id<JobId>, IfNoneMatch),
    responses(
        (status = 200, description = "The job", body = JobView),
        (status = 404, description = "No such job, or it is not kept any more"),
        IfNoneMatch,
    ),
    security(("bearer" = ["jobs:manage"]))
)]
#[get("/api/v1/jobs/{id}")]
pub async fn get_job(_auth: Auth<ManageJobs>, services: Shared, id: Id<JobId>, known: IfNoneMatch) -> Answer {
    let job = services.jobs.get(id.0).await?.ok_or(Error::NotFound("Job"))?;
    etag::read(&known, None, &JobView::from(job))
}

/// Makes a dead or cancelled job wait again, with as many attempts as at first.
#[utoipa::path(
    tag = "jobs",
    params(Id<JobId>),
    responses(
        (status = 200, description = "The job", body = JobView),
        (status = 404, description = "No such job, or it is not kept any more"),
        (status = 409, description = "It is neither dead nor cancelled, or an unfinished job has its key"),
    ),
    security(("bearer" = ["jobs:manage"]))
)]
#[post("/api/v1/jobs/{id}/retry")]
pub async fn retry_job(auth: Auth<ManageJobs>, services: Shared, id: Id<JobId>) -> Answer {
    let job = job::retry_job(&services.shop, auth.0, id.0).await?;
    Ok(HttpResponse::Ok().json(JobView::from(job)))
}

/// Cancels a waiting job; a running one is asked to stop.
#[utoipa::path(
    tag = "jobs",
    params(Id<JobId>),
    responses(
        (status = 200, description = "The job", body = JobView),
        (status = 404, description = "No such job, or it is not kept any more"),
        (status = 409, description = "It is done or dead"),
    ),
    security(("bearer" = ["jobs:manage"]))
)]
#[post("/api/v1/jobs/{id}/cancel")]
pub async fn cancel_job(auth: Auth<ManageJobs>, services: Shared, id: Id<JobId>) -> Answer {
    let job = job::cancel_job(&services.shop, auth.0, id.0).await?;
    Ok(HttpResponse::Ok().json(JobView::from(job)))
}
