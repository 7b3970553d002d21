//! Jobs and the schedule as JSON.

use chrono::{DateTime, Utc};
use domain::{
    job::{FailedAttempt, JobState, Priority, StoredJob},
    schedule::{Entry, Run},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// Where a job stands.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = JobState, example = "waiting")]
#[serde(rename_all = "lowercase")]
pub enum JobStateView {
    /// For its time, or for a worker.
    Waiting,
    /// A worker has it.
    Running,
    /// It was done.
    Done,
    /// An operator did not want it any more.
    Cancelled,
    /// It was given up, and can be retried.
    Dead,
}

impl From<JobState> for JobStateView {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Waiting => Self::Waiting,
            JobState::Running => Self::Running,
            JobState::Done => Self::Done,
            JobState::Cancelled => Self::Cancelled,
            JobState::Dead => Self::Dead,
        }
    }
}

/// Which of several due jobs go first.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = JobPriority, example = "normal")]
#[serde(rename_all = "lowercase")]
pub enum JobPriorityView {
    /// When nothing else is to be done.
    Low,
    /// Most jobs.
    Normal,
    /// Somebody waits for it.
    High,
}

impl From<Priority> for JobPriorityView {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Low => Self::Low,
            Priority::Normal => Self::Normal,
            Priority::High => Self::High,
        }
    }
}

/// An attempt that failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobError)]
#[serde(rename_all = "camelCase")]
pub struct JobErrorView {
    /// Its number, from 1.
    #[schema(example = 1, minimum = 0, value_type = i64)]
    pub attempt: u32,
    /// When it failed.
    pub at: DateTime<Utc>,
    /// Why.
    #[schema(example = "database is temporarily unavailable")]
    pub reason: String,
}

impl From<FailedAttempt> for JobErrorView {
    fn from(error: FailedAttempt) -> Self {
        Self { attempt: error.attempt, at: error.at, reason: error.reason }
    }
}

/// A background job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    /// Its id.
    pub id: Uuid,
    /// What kind of job it is.
    #[schema(example = "purge")]
    pub kind: String,
    /// Where it stands.
    pub state: JobStateView,
    /// Which of several due jobs go first.
    pub priority: JobPriorityView,
    /// What it was told to do.
    #[schema(value_type = Object, example = json!({}))]
    pub payload: Value,
    /// When it is due, or was.
    pub run_at: DateTime<Utc>,
    /// Attempts begun since it was stored or retried.
    #[schema(example = 0, minimum = 0, value_type = i64)]
    pub attempts: u32,
    /// After so many failed attempts it is dead.
    #[schema(example = 3, minimum = 1, value_type = i64)]
    pub max_attempts: u32,
    /// How long one attempt may take.
    #[schema(example = 60.0, minimum = 0)]
    pub timeout_seconds: f64,
    /// Unique among the unfinished jobs of the kind.
    #[schema(example = "purge@2026-11-21T09:17:00Z")]
    pub key: Option<String>,
    /// The event it is the reaction to.
    pub event_id: Option<Uuid>,
    /// Who works on it.
    pub worker: Option<String>,
    /// Until when the worker has it, unless it gives a sign of life.
    pub lease_until: Option<DateTime<Utc>>,
    /// Whether the running attempt is asked to end.
    #[schema(example = false)]
    pub stop_asked: bool,
    /// What went wrong, oldest first; only the latest are kept.
    pub errors: Vec<JobErrorView>,
    /// When it was stored.
    pub created_at: DateTime<Utc>,
    /// When the latest attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was done, cancelled or given up.
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<StoredJob> for JobView {
    fn from(job: StoredJob) -> Self {
        Self {
            id: job.id.0,
            kind: job.kind,
            state: job.state.into(),
            priority: job.priority.into(),
            payload: job.payload,
            run_at: job.run_at,
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            timeout_seconds: job.timeout.as_secs_f64(),
            key: job.key,
            event_id: job.event.map(|event| event.0),
            worker: job.worker,
            lease_until: job.lease_until,
            stop_asked: job.stop_asked,
            errors: job.errors.into_iter().map(JobErrorView::from).collect(),
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }
    }
}

/// A run of an entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScheduleRun)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// Which moment of the cron line it is for, or when somebody asked for it.
    pub tick: DateTime<Utc>,
    /// Whether somebody asked for it.
    #[schema(example = false)]
    pub by_hand: bool,
    /// Its job.
    pub job_id: Uuid,
    /// Where the job stands; null when it is not kept any more.
    pub state: Option<JobStateView>,
    /// When the job ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        Self {
            tick: run.tick,
            by_hand: run.by_hand,
            job_id: run.job.0,
            state: run.state.map(JobStateView::from),
            finished_at: run.finished_at,
        }
    }
}

/// An entry of the schedule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Schedule)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleView {
    /// Its name.
    #[schema(example = "purge")]
    pub name: String,
    /// The kind of its jobs.
    #[schema(example = "purge")]
    pub kind: String,
    /// Its cron line; null when it is off and run by hand only.
    #[schema(example = "17 * * * *")]
    pub cron: Option<String>,
    /// The time zone of the line.
    #[schema(example = "UTC")]
    pub zone: Option<String>,
    /// What becomes of ticks that were missed: `skip`, `once` or `all(N)`.
    #[schema(example = "once")]
    pub catch_up: String,
    /// When it is run next.
    pub next_run: Option<DateTime<Utc>>,
    /// What was run, the latest first.
    pub runs: Vec<RunView>,
}

impl ScheduleView {
    /// An entry with its latest runs.
    pub fn new(entry: &Entry, now: DateTime<Utc>, runs: Vec<Run>) -> Self {
        Self {
            name: entry.name.to_owned(),
            kind: entry.job.kind.to_owned(),
            cron: entry.cron.as_ref().map(|cron| cron.text().to_owned()),
            zone: entry.cron.as_ref().map(|cron| cron.zone().to_owned()),
            catch_up: entry.catch_up.name(),
            next_run: entry.next(now),
            runs: runs.into_iter().map(RunView::from).collect(),
        }
    }
}

/// The schedule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Schedules)]
pub struct SchedulesView {
    /// Its entries.
    pub items: Vec<ScheduleView>,
}
