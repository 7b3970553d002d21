//! What is counted of calls, by the name of whom they went to.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};

use super::breaker::Stand;

/// The counters of one dependency.
pub(super) struct Meter {
    name: String,
    stand: Gauge,
    under_way: Gauge,
    retries: Counter,
    duration: Histogram,
}

impl Meter {
    pub(super) fn of(name: &str) -> Self {
        let label = name.to_owned();
        let meter = Self {
            stand: metrics::gauge!("dependency_state", "dependency" => label.clone()),
            under_way: metrics::gauge!("dependency_calls_under_way", "dependency" => label.clone()),
            retries: metrics::counter!("dependency_retries_total", "dependency" => label.clone()),
            duration: metrics::histogram!("dependency_call_duration_seconds", "dependency" => label.clone()),
            name: label,
        };
        meter.stands(Stand::Closed);
        meter
    }

    pub(super) fn stands(&self, stand: Stand) {
        self.stand.set(match stand {
            Stand::Closed => 0.0,
            Stand::HalfOpen => 1.0,
            Stand::Open => 2.0,
        });
    }

    pub(super) fn begun(&self) -> UnderWay<'_> {
        self.under_way.increment(1.0);
        UnderWay(&self.under_way)
    }

    pub(super) fn ended(&self, outcome: &'static str, took: Duration) {
        self.duration.record(took.as_secs_f64());
        metrics::counter!("dependency_calls_total", "dependency" => self.name.clone(), "outcome" => outcome)
            .increment(1);
    }

    pub(super) fn retried(&self) {
        self.retries.increment(1);
    }

    pub(super) fn shed(&self, reason: &'static str) {
        metrics::counter!("dependency_shed_total", "dependency" => self.name.clone(), "reason" => reason).increment(1);
    }
}

/// A call, for as long as it is under way.
pub(super) struct UnderWay<'a>(&'a Gauge);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
