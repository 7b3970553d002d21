//! `[calls]`: how the shop calls others.

use std::path::PathBuf;

use integrations::client::CallSettings;

use super::{Reader, Setting};

pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("calls.connect_ms", "5000", "How long a connection to somebody else may take to be there."),
    Setting::new("calls.head_ms", "10000", "How long the head of their answer may take, redirects included."),
    Setting::new("calls.whole_ms", "30000", "How long a call may take as a whole; of a flow, how long it may pause."),
    Setting::new("calls.body_limit_bytes", "1048576", "The longest answer."),
    Setting::new("calls.redirects", "3", "How many redirects are followed."),
    Setting::new(
        "calls.allowed_networks",
        "",
        "Networks inside that addresses from outside may lead to all the same, separated by commas.",
    ),
    Setting::new("calls.ca_file", "", "Certificates in PEM that are trusted in calls beside those of the web."),
];

/// How the shop calls others.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) settings: CallSettings,
    /// Certificates that are trusted beside those of the web.
    pub(crate) roots: Option<PathBuf>,
}

impl Outgoing {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let connect = reader.millis("calls.connect_ms", 1..=30_000);
        let head = reader.millis("calls.head_ms", 1..=30_000);
        let whole = reader.millis("calls.whole_ms", 1..=30_000);
        let body_limit = reader.number("calls.body_limit_bytes", 1024..=64 * 1024 * 1024);
        let redirects = reader.number("calls.redirects", 0..=10);
        let mut allowed = Vec::new();
        for network in reader.list("calls.allowed_networks") {
            match network.parse() {
                Ok(network) => allowed.push(network),
                Err(fault) => {
                    reader.fault("calls.allowed_networks", format!("{network:?} does not fit: {fault}"));
                    return None;
                }
            }
        }
        let roots = Some(reader.text("calls.ca_file")).filter(|file| !file.is_empty()).map(PathBuf::from);
        let settings = CallSettings {
            connect: connect?,
            head: head?,
            whole: whole?,
            body_limit: body_limit?,
            redirects: redirects?,
            allowed,
            extra_roots: Vec::new(),
            ..CallSettings::default()
        };
        Some(Self { settings, roots })
    }
}
