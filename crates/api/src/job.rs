//! The doors of background work: jobs and the schedule.

mod jobs;
mod schedules;
pub mod view;

use utoipa_actix_web::service_config::ServiceConfig;

/// The operations of background work.
pub fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(jobs::list_jobs)
        .service(jobs::get_job)
        .service(jobs::retry_job)
        .service(jobs::cancel_job)
        .service(schedules::list_schedules)
        .service(schedules::run_schedule);
}
