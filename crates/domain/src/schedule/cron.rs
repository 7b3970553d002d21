//! Cron lines in a time zone.
//!
//! croner reads the line and walks the calendar; what a change of the clock does to it is our own rule, in
//! [`local`](super::local), so that it is written down and tested here.

use std::{fmt, str::FromStr};

use chrono::{NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::local;
use crate::clock::Timestamp;

/// When to run: five fields (minute, hour, day, month, weekday) or a name such as `@daily`, in a time zone of IANA.
#[derive(Debug, Clone)]
pub struct Cron {
    text: String,
    zone: Tz,
    pattern: croner::Cron,
    /// Whether the line is for every hour, or every so many: then an hour that comes twice is run twice.
    by_interval: bool,
}

/// Two are the same when they were written the same.
impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, self.zone) == (&other.text, other.zone)
    }
}

/// The names there are, each with its line.
const NAMES: &[(&str, &str)] = &[
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
];

impl Cron {
    /// Reads a line in the zone of that name, such as `Europe/Berlin`.
    ///
    /// # Errors
    /// What is wrong, for the operator: the line does not read, there is no such zone, or it never comes to pass, as
    /// with the 30th of February.
    pub fn new(text: &str, zone: &str) -> Result<Self, String> {
        let zone = Tz::from_str(zone).map_err(|_| format!("{zone:?} is no time zone, such as Europe/Berlin or UTC"))?;
        let text = text.trim();
        let line = NAMES.iter().find(|(name, _)| *name == text).map_or(text, |(_, line)| line);
        let fields: Vec<&str> = line.split_whitespace().collect();
        let &[_, hour, ..] = fields.as_slice() else { return Err(form(text)) };
        if fields.len() != 5 || line.contains('@') {
            return Err(form(text));
        }
        let pattern = croner::Cron::from_str(line).map_err(|error| format!("{text:?} is no cron line: {error}"))?;
        let cron = Self { text: text.to_owned(), zone, pattern, by_interval: hour.starts_with('*') };
        // Whatever happens on a day of the calendar happens within eight years of any moment.
        match cron.next_local(Timestamp::UNIX_EPOCH.naive_utc()) {
            Some(_) => Ok(cron),
            None => Err(format!("{text:?} never comes to pass: no year has such a day")),
        }
    }

    /// The line as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The name of the time zone.
    pub fn zone(&self) -> &'static str {
        self.zone.name()
    }

    /// The first tick after a moment.
    ///
    /// An hour that does not exist because the clock goes forward: a line that names it is run once, at the first moment
    /// after the gap; one by interval (`*` or `*/n` as its hour) has nothing to run there. An hour that comes twice because
    /// the clock goes back: a line that names it is run once, the first time; one by interval is run both times.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        // Local times that lie back may still be to come, when the clock was, or will be, put back by less than that.
        let mut local = after.with_timezone(&self.zone).naive_local() - TimeDelta::hours(3);
        let mut best: Option<Timestamp> = None;
        loop {
            local = match self.next_local(local) {
                Some(local) => local,
                None => return best,
            };
            let (first, second) = local::moments(self.zone, local, self.by_interval);
            // Later local times only have later first moments.
            if let Some(first) = first.filter(|moment| *moment > after) {
                return Some(best.map_or(first, |best| best.min(first)));
            }
            if let Some(second) = second.filter(|moment| *moment > after) {
                best = Some(best.map_or(second, |best| best.min(second)));
            }
        }
    }

    /// The next local time that the line names, whatever clocks make of it.
    fn next_local(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let found = self.pattern.find_next_occurrence(&after.and_local_timezone(Utc).single()?, false);
        found.ok().map(|moment| moment.naive_utc())
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.text, self.zone)
    }
}

fn form(text: &str) -> String {
    format!(
        "{text:?} must have five fields (minute hour day month weekday), or be @hourly, @daily, @weekly, @monthly or @yearly"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The ticks from one moment on, as local times with their offset.
    fn ticks(line: &str, zone: &str, from: &str, many: usize) -> Vec<String> {
        let cron = Cron::new(line, zone).unwrap();
        let mut at: Timestamp = from.parse().unwrap();
        let mut told = Vec::new();
        for _ in 0..many {
            at = cron.next(at).unwrap();
            told.push(at.with_timezone(&cron.zone).format("%d %H:%M %z").to_string());
        }
        told
    }

    #[test]
    fn lines_that_mean_nothing_are_refused_with_the_reason() {
        for (line, zone, reason) in [
            ("", "UTC", "five fields"),
            ("* * * *", "UTC", "five fields"),
            ("0 0 0 * * *", "UTC", "five fields"),
            ("@reboot", "UTC", "five fields"),
            ("61 * * * *", "UTC", "no cron line"),
            ("a b c d e", "UTC", "no cron line"),
            ("0 0 30 2 *", "UTC", "never comes to pass"),
            ("0 0 31 4,6,9,11 *", "Europe/Berlin", "never comes to pass"),
            ("0 0 * * *", "Europe/Bielefeld", "no time zone"),
        ] {
            let refused = Cron::new(line, zone).unwrap_err();
            assert!(refused.contains(reason), "{line}: {refused}");
        }
        assert!(Cron::new("0 0 29 2 *", "UTC").is_ok(), "leap days come");
    }

    #[test]
    fn plain_lines_follow_the_calendar() {
        assert_eq!(ticks("30 9 * * 1-5", "UTC", "2026-11-20T10:00:00Z", 2), ["23 09:30 +0000", "24 09:30 +0000"]);
        assert_eq!(ticks("@monthly", "UTC", "2026-11-20T10:00:00Z", 2), ["01 00:00 +0000", "01 00:00 +0000"]);
        assert_eq!(ticks("*/20 * * * *", "UTC", "2026-11-20T10:59:59Z", 2), ["20 11:00 +0000", "20 11:20 +0000"]);
        // A tick comes after the moment, never at it.
        assert_eq!(ticks("0 * * * *", "UTC", "2026-11-20T10:00:00Z", 1), ["20 11:00 +0000"]);
    }

    /// Berlin, 29 March 2026: 02:00 to 03:00 does not exist.
    #[test]
    fn an_hour_that_is_left_out_is_run_once_after_the_gap() {
        let from = "2026-03-28T12:00:00Z";
        let zone = "Europe/Berlin";
        assert_eq!(ticks("30 2 * * *", zone, from, 2), ["29 03:00 +0200", "30 02:30 +0200"]);
        assert_eq!(ticks("0,15,45 2 * * *", zone, from, 2), ["29 03:00 +0200", "30 02:00 +0200"]);
        // What falls upon the same moment as the gap's end is one tick.
        assert_eq!(ticks("0 2,3 * * *", zone, from, 2), ["29 03:00 +0200", "30 02:00 +0200"]);
        // By interval nothing is missing: the hour never was.
        let hourly = ["29 01:00 +0100", "29 03:00 +0200", "29 04:00 +0200"];
        assert_eq!(ticks("0 * * * *", zone, "2026-03-28T23:30:00Z", 3), hourly);
        let halves = ["29 01:30 +0100", "29 03:00 +0200", "29 03:30 +0200"];
        assert_eq!(ticks("*/30 * * * *", zone, "2026-03-29T00:00:00Z", 3), halves);
    }

    /// Berlin, 25 October 2026: 02:00 to 03:00 comes twice.
    #[test]
    fn an_hour_that_comes_twice_is_run_once_by_name_and_twice_by_interval() {
        let from = "2026-10-24T12:00:00Z";
        let zone = "Europe/Berlin";
        assert_eq!(ticks("30 2 * * *", zone, from, 2), ["25 02:30 +0200", "26 02:30 +0100"]);
        assert_eq!(
            ticks("0,30 2,3 * * *", zone, from, 4),
            ["25 02:00 +0200", "25 02:30 +0200", "25 03:00 +0100", "25 03:30 +0100"]
        );
        let halves = [
            "25 01:30 +0200",
            "25 02:00 +0200",
            "25 02:30 +0200",
            "25 02:00 +0100",
            "25 02:30 +0100",
            "25 03:00 +0100",
        ];
        assert_eq!(ticks("*/30 * * * *", zone, "2026-10-24T23:00:00Z", 6), halves);
        let hourly = ["25 01:00 +0200", "25 02:00 +0200", "25 02:00 +0100", "25 03:00 +0100"];
        assert_eq!(ticks("@hourly", zone, "2026-10-24T22:30:00Z", 4), hourly);
    }

    /// Lord Howe Island changes by half an hour: 02:00 to 02:30 is left out on 4 October 2026, and 01:30 to 02:00 comes
    /// twice on 5 April 2026.
    #[test]
    fn half_an_hour_is_a_change_too() {
        let zone = "Australia/Lord_Howe";
        assert_eq!(ticks("15 2 * * *", zone, "2026-10-03T12:00:00Z", 2), ["04 02:30 +1100", "05 02:15 +1100"]);
        assert_eq!(
            ticks("*/15 * * * *", zone, "2026-10-03T15:14:00Z", 3),
            ["04 01:45 +1030", "04 02:30 +1100", "04 02:45 +1100"]
        );
        assert_eq!(ticks("45 1 * * *", zone, "2026-04-04T12:00:00Z", 2), ["05 01:45 +1100", "06 01:45 +1030"]);
        assert_eq!(
            ticks("*/15 * * * *", zone, "2026-04-04T14:15:00Z", 6),
            [
                "05 01:30 +1100",
                "05 01:45 +1100",
                "05 01:30 +1030",
                "05 01:45 +1030",
                "05 02:00 +1030",
                "05 02:15 +1030"
            ]
        );
    }

    /// Samoa left out 30 December 2011 when it went over the date line.
    #[test]
    fn a_day_that_is_left_out_is_run_once_after_it() {
        let told = ticks("0 9 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 3);
        assert_eq!(told, ["29 09:00 -1000", "31 00:00 +1400", "31 09:00 +1400"]);
    }

    proptest! {
        /// Every tick is later than the moment, whatever the zone, and none lies between.
        #[test]
        fn ticks_go_on_and_skip_nothing(
            minute in 0_u32..60, hour in 0_u32..24, interval in any::<bool>(), start in 1_700_000_000_i64..1_900_000_000,
            zone in prop::sample::select(vec!["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Asia/Kathmandu"]),
        ) {
            let line = if interval { format!("{minute} * * * *") } else { format!("{minute} {hour} * * *") };
            let cron = Cron::new(&line, zone).unwrap();
            let from = Timestamp::from_timestamp(start, 0).unwrap();
            let first = cron.next(from).unwrap();
            prop_assert!(first > from);
            let longest = TimeDelta::hours(if interval { 2 } else { 26 });
            prop_assert!(first - from <= longest);
            let between = from + (first - from) / 2;
            prop_assert_eq!(cron.next(between).unwrap(), first);
            prop_assert!(cron.next(first).unwrap() > first);
        }
    }
}
