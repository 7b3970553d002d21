//! What becomes of a job after an attempt: the pure half of a worker.

use super::{FailedAttempt, Failure, Policy, StoredJob};
use crate::clock::Timestamp;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Done,
    /// The handler says that it failed.
    Failed(Failure),
    /// It took too long.
    TimedOut,
    /// The handler panicked.
    Panicked,
    /// Its worker was not heard of until the end of its lease.
    Lost,
    /// An operator wanted it to end.
    Stopped,
}

impl Outcome {
    /// The name in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed(Failure::Retry(_)) => "failed",
            Self::Failed(Failure::GiveUp(_)) => "given_up",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
            Self::Lost => "lost",
            Self::Stopped => "stopped",
        }
    }
}

/// What becomes of the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It is done.
    Done,
    /// It waits for another attempt.
    Again {
        /// Not before this moment.
        at: Timestamp,
        /// All its errors.
        errors: Vec<FailedAttempt>,
    },
    /// It is given up.
    Dead {
        /// All its errors.
        errors: Vec<FailedAttempt>,
    },
    /// It ended as an operator wanted.
    Cancelled,
}

/// Decides what becomes of a job whose attempt ended. A panic, a timeout and a lost worker count as failures that may
/// pass; after the last attempt the job is dead. One that an operator wanted to end is not tried again. That a worker was
/// lost says little of the job, and its lease was a pause already: the next pause is no longer than the first.
pub fn settle(job: &StoredJob, policy: &Policy, outcome: &Outcome, now: Timestamp, jitter: u8) -> Settled {
    let timeout = format!("took longer than {} s", job.timeout.as_secs_f64());
    let (reason, may_pass) = match outcome {
        Outcome::Done => return Settled::Done,
        Outcome::Stopped => return Settled::Cancelled,
        _ if job.stop_asked => return Settled::Cancelled,
        Outcome::Failed(Failure::GiveUp(reason)) => (reason.as_str(), false),
        Outcome::Failed(Failure::Retry(reason)) => (reason.as_str(), true),
        Outcome::TimedOut => (timeout.as_str(), true),
        Outcome::Panicked => ("panicked; the log says where", true),
        Outcome::Lost => ("its worker was not heard of any more", true),
    };
    let errors = job.errors_with(reason, now);
    if may_pass && job.attempts < job.max_attempts {
        let failures = if *outcome == Outcome::Lost { 1 } else { job.attempts };
        Settled::Again { at: now + policy.backoff.pause(failures, jitter), errors }
    } else {
        Settled::Dead { errors }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::{
        id::JobId,
        job::{ERRORS, JobState, Priority},
    };

    fn job(attempts: u32) -> StoredJob {
        StoredJob {
            id: JobId(Uuid::nil()),
            kind: "test".to_owned(),
            payload: json!(null),
            priority: Priority::Normal,
            state: JobState::Running,
            run_at: Timestamp::UNIX_EPOCH,
            attempts,
            max_attempts: 3,
            timeout: Duration::from_millis(1500),
            key: None,
            event: None,
            worker: Some("w".to_owned()),
            lease_until: Some(Timestamp::UNIX_EPOCH),
            fence: 1,
            stop_asked: false,
            errors: Vec::new(),
            created_at: Timestamp::UNIX_EPOCH,
            started_at: None,
            finished_at: None,
        }
    }

    fn settled(job: &StoredJob, outcome: &Outcome) -> Settled {
        settle(job, &Policy::default(), outcome, Timestamp::UNIX_EPOCH, 255)
    }

    fn reasons(errors: &[FailedAttempt]) -> Vec<(u32, &str)> {
        errors.iter().map(|one| (one.attempt, one.reason.as_str())).collect()
    }

    #[test]
    fn what_may_pass_is_tried_again_until_the_last_attempt() {
        let retry = Outcome::Failed(Failure::Retry("away".to_owned()));
        for (outcome, reason, pause) in [
            (&retry, "away", 4),
            (&Outcome::TimedOut, "took longer than 1.5 s", 4),
            (&Outcome::Panicked, "panicked; the log says where", 4),
            (&Outcome::Lost, "its worker was not heard of any more", 2),
        ] {
            let Settled::Again { at, errors } = settled(&job(2), outcome) else { panic!("{outcome:?}") };
            assert_eq!(at, Timestamp::UNIX_EPOCH + Duration::from_secs(pause), "{outcome:?}");
            assert_eq!(reasons(&errors), [(2, reason)]);
            let Settled::Dead { errors } = settled(&job(3), outcome) else { panic!("{outcome:?}") };
            assert_eq!(reasons(&errors), [(3, reason)]);
        }
    }

    #[test]
    fn what_will_never_succeed_is_dead_at_once() {
        let hopeless = Outcome::Failed(Failure::GiveUp("no such thing".to_owned()));
        assert!(matches!(settled(&job(1), &hopeless), Settled::Dead { .. }));
    }

    #[test]
    fn what_an_operator_wanted_to_end_is_not_tried_again_but_may_be_done() {
        let asked = StoredJob { stop_asked: true, ..job(1) };
        assert_eq!(settled(&asked, &Outcome::TimedOut), Settled::Cancelled);
        assert_eq!(settled(&job(1), &Outcome::Stopped), Settled::Cancelled);
        assert_eq!(settled(&asked, &Outcome::Done), Settled::Done);
    }

    #[test]
    fn only_the_latest_errors_are_kept_and_none_is_endless() {
        let mut job = job(0);
        for attempt in 1..=30 {
            job.attempts = attempt;
            job.errors = job.errors_with(&"x".repeat(5000), Timestamp::UNIX_EPOCH);
        }
        assert_eq!(job.errors.len(), ERRORS);
        assert_eq!((job.errors[0].attempt, job.errors[ERRORS - 1].attempt), (11, 30));
        assert!(job.errors.iter().all(|error| error.reason.len() == 1000));
    }
}
