//! Local times and the moments they stand for, when a clock is put forward or back.

use chrono::{MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::clock::Timestamp;

/// The longest gap looked for an end of: a country that goes over the date line leaves out a day.
const LONGEST_GAP: i64 = 48 * 60;

/// The moments of a local time: a first one, and a second when it comes twice and both count (`twice`). A time that does
/// not exist has none when both count, else the first moment after the gap.
pub(super) fn moments(zone: Tz, local: NaiveDateTime, twice: bool) -> (Option<Timestamp>, Option<Timestamp>) {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(moment) => (Some(moment.with_timezone(&Utc)), None),
        MappedLocalTime::Ambiguous(first, second) => {
            (Some(first.with_timezone(&Utc)), twice.then(|| second.with_timezone(&Utc)))
        }
        MappedLocalTime::None if twice => (None, None),
        MappedLocalTime::None => (after_gap(zone, local), None),
    }
}

/// Zones change at whole minutes.
fn after_gap(zone: Tz, local: NaiveDateTime) -> Option<Timestamp> {
    let mut later = (1..=LONGEST_GAP).map(|minutes| local + TimeDelta::minutes(minutes));
    let first = later.find_map(|local| zone.from_local_datetime(&local).earliest());
    first.map(|moment| moment.with_timezone(&Utc))
}
