//! The counters of one operation's answers, looked up once instead of at every request.

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use actix_web::http::StatusCode;
use metrics::{Counter, Histogram};

/// What is counted of the answers of one operation. Each pair of method and status is registered when it is first met, so
/// that `/metrics` names only what has happened.
#[derive(Debug, Default)]
pub struct Tally(RwLock<Vec<Met>>);

#[derive(Debug, Clone)]
struct Met {
    method: &'static str,
    status: StatusCode,
    answers: Counter,
    times: Histogram,
}

impl Tally {
    /// Counts an answer. `method` is of a closed set: it becomes a label.
    pub fn count(&self, path: &str, method: &'static str, status: StatusCode, time: Duration) {
        let met = self.met(method, status).unwrap_or_else(|| self.meet(path, method, status));
        met.answers.increment(1);
        met.times.record(time.as_secs_f64());
    }

    fn met(&self, method: &'static str, status: StatusCode) -> Option<Met> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|met| met.status == status && met.method == method).cloned()
    }

    fn meet(&self, path: &str, method: &'static str, status: StatusCode) -> Met {
        let met = Met::new(path, method, status);
        // Two who meet it at once register the same counters; the second entry is never looked at.
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(met.clone());
        met
    }
}

impl Met {
    fn new(path: &str, method: &'static str, status: StatusCode) -> Self {
        let labels = [("method", method.to_owned()), ("path", path.to_owned()), ("status", status.as_str().to_owned())];
        Self {
            method,
            status,
            answers: metrics::counter!("http_requests_total", &labels),
            times: metrics::histogram!("http_request_duration_seconds", &labels),
        }
    }
}

/// Counts the answer to a request that is no operation, under one label for all such paths.
pub fn count_unmatched(method: &'static str, status: StatusCode, time: Duration) {
    let met = Met::new("unmatched", method, status);
    met.answers.increment(1);
    met.times.record(time.as_secs_f64());
}
