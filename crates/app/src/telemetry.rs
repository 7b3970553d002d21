//! Logs and metrics.
//!
//! Logs go to the standard error, so that what a command prints stays apart. Nothing secret is ever a field: types
//! that hold secrets do not show them, and statements are logged without their values (SEC-10).

use std::io::IsTerminal;

use domain::meter::Meter;
use metrics::Unit;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::{
    config::{LogFormat, Telemetry},
    json_lines::JsonLines,
    lines::{Lines, ToTheLast},
};

/// Upper bounds of the histograms of times, in seconds.
const TIMES: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Libraries that would tell of every step, or of what is asked and answered; a level that names them wins.
const QUIET: &str = "actix_server=warn,sea_orm_migration=warn,sqlx::postgres::notice=warn,rmcp=off";

/// Starts logging. A second call changes nothing. What it gives is to be dropped last.
pub(crate) fn init(settings: &Telemetry) -> Option<ToTheLast> {
    let json = match settings.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    // The level was parsed before, when the settings were read.
    let filter = EnvFilter::new(format!("{QUIET},{}", settings.level));
    // Whoever has no standard error wants no logs.
    let lines = Lines::on_standard_error().ok()?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines.clone());
    let started = if json {
        log.json().event_format(JsonLines::new()).try_init()
    } else {
        // Colours would need another crate; asking for them without it panics.
        log.with_ansi(false).try_init()
    };
    drop(started);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("without a message");
        tracing::error!(place, message, "panic");
    }));
    Some(lines.to_the_last())
}

/// Starts counting. Nothing listens: the HTTP door serves what the handle renders.
pub(crate) fn metrics() -> Result<PrometheusHandle, BuildError> {
    let buckets = Matcher::Suffix("_seconds".to_owned());
    let handle = PrometheusBuilder::new().set_buckets_for_metric(buckets, TIMES)?.install_recorder()?;
    describe();
    Ok(handle)
}

/// The domain's counters.
#[derive(Debug)]
pub(crate) struct Counters;

impl Meter for Counters {
    fn transaction_retried(&self, use_case: &'static str) {
        metrics::counter!("transaction_retries_total", "use_case" => use_case).increment(1);
    }

    fn memory_recall_failed(&self) {
        metrics::counter!("memory_recall_failed_total").increment(1);
    }

    fn memory_recalled_by_words(&self) {
        metrics::counter!("memory_recalled_by_words_total").increment(1);
    }
}

/// Says what each metric counts, for whoever reads `/metrics`.
fn describe() {
    metrics::describe_counter!("http_requests_total", Unit::Count, "Requests answered");
    metrics::describe_histogram!("http_request_duration_seconds", Unit::Seconds, "Time from a request to its answer");
    metrics::describe_histogram!("db_query_duration_seconds", Unit::Seconds, "Time of a statement in the database");
    metrics::describe_counter!("transaction_retries_total", Unit::Count, "Transactions that ran once more");
    metrics::describe_counter!("memory_recall_failed_total", Unit::Count, "Talks that went on without memories");
    metrics::describe_counter!(
        "memory_recalled_by_words_total",
        Unit::Count,
        "Talks that were reminded by words alone"
    );
    metrics::describe_counter!("worker_restarts_total", Unit::Count, "Background work that ended and began again");
    metrics::describe_counter!("product_views_dropped_total", Unit::Count, "Views of products that were not recorded");
    metrics::describe_counter!("api_key_uses_dropped_total", Unit::Count, "Uses of API keys that were not recorded");
    metrics::describe_counter!("file_downloads_dropped_total", Unit::Count, "Downloads of files that were not counted");
    metrics::describe_counter!("events_numbered_total", Unit::Count, "Events that got their place in the order");
    metrics::describe_counter!("events_set_aside_total", Unit::Count, "Events set aside as unreadable");
    metrics::describe_counter!("events_jobs_total", Unit::Count, "Jobs that follow from events");
    metrics::describe_gauge!("jobs_waiting", Unit::Count, "Jobs that wait for their time or for a worker");
    metrics::describe_gauge!("jobs_running", Unit::Count, "Jobs that a worker has");
    metrics::describe_gauge!("jobs_dead", Unit::Count, "Jobs that were given up");
    metrics::describe_gauge!("jobs_oldest_due_seconds", Unit::Seconds, "For how long the oldest job has been due");
    metrics::describe_counter!("job_attempts_total", Unit::Count, "Attempts at jobs that ended");
    metrics::describe_histogram!("job_duration_seconds", Unit::Seconds, "Time of an attempt at a job");
    metrics::describe_gauge!("cache_trusted", Unit::Count, "Whether this node serves from the cache that nodes share");
    metrics::describe_counter!(
        "cache_epochs_total",
        Unit::Count,
        "Times this node began the shared cache anew, by cause"
    );
    metrics::describe_counter!("cache_unsure_total", Unit::Count, "Writes not acknowledged for the sake of the cache");
    metrics::describe_counter!("cache_stores_dropped_total", Unit::Count, "Answers not stored in Redis");
    metrics::describe_histogram!("cache_check_seconds", Unit::Seconds, "Time in which Redis says what is old");
    metrics::describe_counter!("schedule_runs_total", Unit::Count, "Jobs that the schedule stored");
    metrics::describe_counter!("issuer_fetches_total", Unit::Count, "Documents of issuers that were asked for");
    metrics::describe_gauge!("bus_up", Unit::Count, "1 while other nodes are heard, else 0");
    metrics::describe_counter!("bus_messages_total", Unit::Count, "Messages for other nodes, by what became of them");
    metrics::describe_counter!(
        "bus_losses_total",
        Unit::Count,
        "Times that messages of other nodes may have been missed"
    );
    metrics::describe_counter!(
        "limiter_decisions_total",
        Unit::Count,
        "Calls counted by a rate limit, by what it said"
    );
    metrics::describe_counter!(
        "limiter_fallbacks_total",
        Unit::Count,
        "Calls that this node counted in place of Redis"
    );
    metrics::describe_counter!("cache_lookups_total", Unit::Count, "Looks for a kept answer, by what they found");
    metrics::describe_counter!("cache_invalidations_total", Unit::Count, "Changes that made kept answers old");
    metrics::describe_counter!("vectors_made_total", Unit::Count, "Vectors of products that were made or taken away");
    metrics::describe_gauge!("vectors_indexed", Unit::Count, "Products whose vectors this node knows");
    metrics::describe_gauge!("vectors_index_bytes", Unit::Bytes, "Memory that vectors of products take");
    metrics::describe_gauge!("feed_seq", Unit::Count, "The number up to which the log was told on this node");
    metrics::describe_histogram!("event_lag_seconds", Unit::Seconds, "Time from a change until it was told here");
    metrics::describe_histogram!(
        "revocation_delay_seconds",
        Unit::Seconds,
        "Time until another node's end of a session was heeded"
    );
    metrics::describe_gauge!("sessions_over", Unit::Count, "Ended sessions of which a token might hold still");
    metrics::describe_gauge!("streams_open", Unit::Count, "Live streams that are open");
    metrics::describe_counter!("streams_closed_total", Unit::Count, "Live streams that ended, by who ended them");
    metrics::describe_counter!(
        "streams_refused_total",
        Unit::Count,
        "Live streams that were refused, mostly for want of room"
    );
    metrics::describe_counter!("stream_events_sent_total", Unit::Count, "Events written to live streams");
    metrics::describe_counter!(
        "stream_listeners_behind_total",
        Unit::Count,
        "Times that a listener was too slow and went on from the log"
    );
    metrics::describe_counter!("socket_messages_total", Unit::Count, "Messages over WebSockets, by direction");
    metrics::describe_counter!(
        "socket_messages_dropped_total",
        Unit::Count,
        "Messages that found no room in the queue of a WebSocket, which is cut"
    );
    metrics::describe_gauge!("relay_leader", Unit::Count, "1 while this process passes events on, else 0");
    describe_webhooks();
    describe_dependencies();
    describe_assistant();
}

fn describe_assistant() {
    metrics::describe_counter!("assistant_calls_total", Unit::Count, "Calls of models that ended, by how");
    metrics::describe_counter!(
        "assistant_tokens_saved_total",
        Unit::Count,
        "Tokens that were not used again, since an answer was kept"
    );
    metrics::describe_counter!(
        "assistant_batch_lines_total",
        Unit::Count,
        "Lines of batches of questions that were answered, or refused"
    );
    metrics::describe_counter!(
        "assistant_batches_total",
        Unit::Count,
        "Batches of questions that are over, by how they ended"
    );
    metrics::describe_counter!("assistant_calls_lost_total", Unit::Count, "Calls of models whose node was killed");
    metrics::describe_counter!("assistant_tokens_total", Unit::Count, "Tokens of models that were used, by kind");
    metrics::describe_counter!("assistant_cost_billionths_total", Unit::Count, "What models cost, in billionths");
    metrics::describe_histogram!("assistant_first_word_seconds", Unit::Seconds, "Time until a model said something");
}

fn describe_webhooks() {
    metrics::describe_counter!(
        "webhook_messages_total",
        Unit::Count,
        "Webhooks that events made, one for each endpoint"
    );
    metrics::describe_counter!("webhook_attempts_total", Unit::Count, "Attempts at webhooks, by how they ended");
    metrics::describe_histogram!("webhook_attempt_duration_seconds", Unit::Seconds, "Time of an attempt at a webhook");
    metrics::describe_histogram!(
        "webhook_delivery_delay_seconds",
        Unit::Seconds,
        "Time from a message until it arrived"
    );
    metrics::describe_gauge!("webhook_messages_open", Unit::Count, "Webhooks that wait or are being sent");
    metrics::describe_gauge!("webhook_messages_late", Unit::Count, "Webhooks that have been due for five seconds");
    metrics::describe_gauge!("webhook_circuits_open", Unit::Count, "Endpoints that are left alone or tried with care");
    metrics::describe_counter!("webhook_circuits_opened_total", Unit::Count, "Circuits of endpoints that opened");
    metrics::describe_counter!("inbound_calls_total", Unit::Count, "Webhooks that came in, by what was answered");
    metrics::describe_counter!(
        "inbound_handled_total",
        Unit::Count,
        "Webhooks that were handled, by what became of them"
    );
}

fn describe_dependencies() {
    metrics::describe_gauge!("redis_up", Unit::Count, "1 while Redis is there, else 0");
    metrics::describe_counter!("redis_calls_total", Unit::Count, "Calls of Redis, by how they ended");
    metrics::describe_gauge!("dependency_up", Unit::Count, "1 while what we stand on is there, else 0");
    metrics::describe_gauge!(
        "dependency_state",
        Unit::Count,
        "0 while it is called, 1 while one call tries, 2 while none is"
    );
    metrics::describe_gauge!("dependency_calls_under_way", Unit::Count, "Calls that are under way");
    metrics::describe_counter!("dependency_calls_total", Unit::Count, "Calls that were made, by how they ended");
    metrics::describe_histogram!("dependency_call_duration_seconds", Unit::Seconds, "Time of a call");
    metrics::describe_counter!("dependency_retries_total", Unit::Count, "Calls that were made once more");
    metrics::describe_counter!(
        "dependency_shed_total",
        Unit::Count,
        "Calls that were not made, or not waited for, by cause"
    );
    metrics::describe_counter!("requests_shed_total", Unit::Count, "Requests that found no room, by cause");
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    /// The names of the metrics that a source text makes by these macros.
    fn named(text: &str, macros: [&str; 3]) -> BTreeSet<String> {
        let parts = macros.iter().flat_map(|name| text.split(name).skip(1));
        let names = parts.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
        // Not this test's own texts.
        names
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn every_metric_of_the_house_is_described() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..")];
        let mut counted = BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(path).unwrap();
                    counted.extend(named(&text, ["metrics::counter!(", "metrics::gauge!(", "metrics::histogram!("]));
                }
            }
        }
        let described = ["describe_counter!(", "describe_gauge!(", "describe_histogram!("];
        let described = named(include_str!("telemetry.rs"), described);
        assert!(counted.len() > 20, "{counted:?}");
        assert_eq!(counted.difference(&described).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    #[test]
    fn retries_are_counted_by_use_case() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            for use_case in ["create_product", "create_product", "register"] {
                Counters.transaction_retried(use_case);
            }
        });
        let text = handle.render();
        for line in [
            "# HELP transaction_retries_total Transactions that ran once more",
            "transaction_retries_total{use_case=\"create_product\"} 2",
            "transaction_retries_total{use_case=\"register\"} 1",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
