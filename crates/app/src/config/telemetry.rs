//! `[telemetry]`: what is logged, and how.

use tracing_subscriber::EnvFilter;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new(
        "telemetry.level",
        "info",
        "trace, debug, info, warn, error or off; also by target, such as info,sqlx=warn.",
    )
    .alias("LOG_LEVEL"),
    Setting::new("telemetry.format", "auto", "json, text, or auto: text on a terminal, json otherwise.")
        .production("json"),
];

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Telemetry {
    /// A filter that parses.
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

impl Telemetry {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let level = level(reader);
        let format = reader.one_of(
            "telemetry.format",
            &[("auto", LogFormat::Auto), ("json", LogFormat::Json), ("text", LogFormat::Text)],
        );
        Some(Self { level: level?, format: format? })
    }
}

fn level(reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.text("telemetry.level").to_lowercase();
    let first = text.split(',').next().unwrap_or_default();
    let known = ["trace", "debug", "info", "warn", "error", "off"].contains(&first) || first.contains('=');
    if known && text.parse::<EnvFilter>().is_ok() {
        return Some(text);
    }
    reader.fault("telemetry.level", format!("must be trace, debug, info, warn, error or off, is {text:?}"));
    None
}
