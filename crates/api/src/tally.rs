//! The counters of one operation's answers, looked up once instead of at every request.

use std::{sync::OnceLock, time::Duration};

use actix_web::http::StatusCode;
use metrics::{Counter, Histogram};

/// Pairs of method and status that are looked up once; an operation has hardly more.
const PAIRS: usize = 16;

/// What is counted of the answers of one operation. Each pair of method and status is registered when it is first met, so
/// that `/metrics` names only what has happened. All workers read it at every request, so that it has no lock: to take one is to
/// write to memory that another processor has.
#[derive(Debug, Default)]
pub struct Tally([OnceLock<Met>; PAIRS]);

#[derive(Debug)]
struct Met {
    method: &'static str,
    status: StatusCode,
    answers: Counter,
    times: Histogram,
}

impl Tally {
    /// Counts an answer. `method` is of a closed set: it becomes a label.
    pub fn count(&self, path: &str, method: &'static str, status: StatusCode, time: Duration) {
        for place in &self.0 {
            // Of two who come to a free place at once one fills it, and the other goes on from there.
            let met = place.get_or_init(|| Met::new(path, method, status));
            if met.status == status && met.method == method {
                return met.count(time);
            }
        }
        Met::new(path, method, status).count(time);
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

    fn count(&self, time: Duration) {
        self.answers.increment(1);
        self.times.record(time.as_secs_f64());
    }
}

/// Counts the answer to a request that is no operation, under one label for all such paths.
pub fn count_unmatched(method: &'static str, status: StatusCode, time: Duration) {
    Met::new("unmatched", method, status).count(time);
}
