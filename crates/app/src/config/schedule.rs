//! `[schedule]`: what is run when.

use domain::schedule::{CatchUp, Cron};

use super::{Reader, Setting};

/// For each entry its cron line or `off`, the time zone of the line, and what becomes of ticks that were missed.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting::new("schedule.purge", "17 * * * *", "When to purge by retention: a cron line of five fields, or off."),
    Setting::new("schedule.purge_zone", "UTC", "The time zone of that line, such as Europe/Berlin."),
    Setting::new("schedule.purge_catch_up", "once", "After downtime: skip, once, or all(N) runs the N latest missed."),
    Setting::new("schedule.purge_jobs", "47 3 * * *", "When to remove jobs that ended long ago; or off."),
    Setting::new("schedule.purge_jobs_zone", "UTC", "The time zone of that line."),
    Setting::new("schedule.purge_jobs_catch_up", "once", "After downtime: skip, once or all(N)."),
    Setting::new("schedule.rotate_keys", "23 4 1 * *", "When to change the key that signs tokens; or off."),
    Setting::new("schedule.rotate_keys_zone", "UTC", "The time zone of that line."),
    Setting::new("schedule.rotate_keys_catch_up", "once", "After downtime: skip, once or all(N)."),
    Setting::new("schedule.sweep_files", "37 2 * * *", "When to take out bytes of files that nobody holds; or off."),
    Setting::new("schedule.sweep_files_zone", "UTC", "The time zone of that line."),
    Setting::new("schedule.sweep_files_catch_up", "once", "After downtime: skip, once or all(N)."),
    Setting::new(
        "schedule.settle_files",
        "*/20 * * * *",
        "When models and uploads whose job was given up fail; or off.",
    ),
    Setting::new("schedule.settle_files_zone", "UTC", "The time zone of that line."),
    Setting::new("schedule.settle_files_catch_up", "once", "After downtime: skip, once or all(N)."),
    Setting::new(
        "schedule.settle_calls",
        "*/5 * * * *",
        "When calls of models are given up whose node was killed, and old ones removed; or off.",
    ),
    Setting::new("schedule.settle_calls_zone", "UTC", "The time zone of that line."),
    Setting::new("schedule.settle_calls_catch_up", "once", "After downtime: skip, once or all(N)."),
    Setting::new("schedule.reindex", "off", "When to find the words of all products anew; by hand after an upgrade."),
    Setting::new("schedule.reindex_zone", "UTC", "The time zone of that line."),
    Setting::new("schedule.reindex_catch_up", "skip", "After downtime: skip, once or all(N)."),
    Setting::new(
        "schedule.rerender",
        "13 2 * * *",
        "When to make pictures anew that were made by other settings; or off.",
    ),
    Setting::new("schedule.rerender_zone", "UTC", "The time zone of that line."),
    Setting::new("schedule.rerender_catch_up", "once", "After downtime: skip, once or all(N)."),
];

/// When an entry is run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Timing {
    /// `None` when it is off.
    pub(crate) cron: Option<Cron>,
    pub(crate) catch_up: CatchUp,
}

/// The entries of the schedule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule {
    pub(crate) purge: Timing,
    pub(crate) purge_jobs: Timing,
    pub(crate) rotate_keys: Timing,
    pub(crate) sweep_files: Timing,
    pub(crate) settle_files: Timing,
    pub(crate) settle_calls: Timing,
    pub(crate) reindex: Timing,
    pub(crate) rerender: Timing,
}

impl Schedule {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let purge = timing(reader, "schedule.purge");
        let purge_jobs = timing(reader, "schedule.purge_jobs");
        let rotate_keys = timing(reader, "schedule.rotate_keys");
        let sweep_files = timing(reader, "schedule.sweep_files");
        let settle_files = timing(reader, "schedule.settle_files");
        let settle_calls = timing(reader, "schedule.settle_calls");
        let reindex = timing(reader, "schedule.reindex");
        let rerender = timing(reader, "schedule.rerender");
        Some(Self {
            purge: purge?,
            purge_jobs: purge_jobs?,
            rotate_keys: rotate_keys?,
            sweep_files: sweep_files?,
            settle_files: settle_files?,
            settle_calls: settle_calls?,
            reindex: reindex?,
            rerender: rerender?,
        })
    }
}

fn timing(reader: &mut Reader<'_>, key: &str) -> Option<Timing> {
    let line = reader.text(key);
    let zone = reader.text(&format!("{key}_zone"));
    // A wrong zone is no fault of the line.
    if let Err(fault) = Cron::new("@daily", &zone) {
        reader.fault(&format!("{key}_zone"), fault);
        return None;
    }
    let cron = match line.as_str() {
        "off" => Ok(None),
        line => Cron::new(line, &zone).map(Some),
    };
    let cron = cron.map_err(|fault| reader.fault(key, fault)).ok();
    let policy = reader.text(&format!("{key}_catch_up"));
    let catch_up = CatchUp::named(&policy);
    if catch_up.is_none() {
        let message = format!("must be skip, once, or all(N) with N from 1, is {policy:?}");
        reader.fault(&format!("{key}_catch_up"), message);
    }
    Some(Timing { cron: cron?, catch_up: catch_up? })
}
