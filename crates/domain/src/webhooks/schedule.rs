//! What becomes of a message after an attempt: the pure half of the dispatcher.

use std::time::Duration;

use super::{Attempt, Cause, Fault};
use crate::{
    clock::Timestamp,
    id::{EndpointId, WebhookMessageId},
};

/// The pauses after the first, second .. attempt that failed; after the last of them a message is given up.
pub const PAUSES: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(10),
];
/// How long a receiver may take to answer.
pub const TIMEOUT: Duration = Duration::from_secs(15);
/// After failing for so long an endpoint is switched off.
pub const ENDURED: Duration = Duration::from_hours(120);

/// An answer, as far as it matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// How long the receiver wants to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether it said `webhook-delivery: abort-message`.
    pub abort: bool,
    /// The beginning of its body.
    pub body: String,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Answered(Answered),
    /// Without one.
    Failed(Fault),
}

impl Outcome {
    /// Why it failed; `None` for a success.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Failed(fault) => Some(*fault),
            Self::Answered(answered) => match answered.status {
                200..=299 => None,
                300..=399 => Some(Fault::Redirect),
                _ => Some(Fault::Status),
            },
        }
    }

    /// Whether the receiver has more to do than it can: it is to be called less.
    pub fn is_overload(&self) -> bool {
        match self {
            Self::Failed(fault) => *fault == Fault::Timeout,
            Self::Answered(answered) => matches!(answered.status, 429 | 502 | 503 | 504),
        }
    }

    /// How long the endpoint as a whole is left alone, where it asked for that: no longer than a minute, since it may have been a
    /// single message that it did not want.
    pub fn rest(&self) -> Option<Duration> {
        match self {
            Self::Answered(Answered { status: 429 | 503, retry_after: Some(after), .. }) => {
                Some((*after).min(Duration::from_mins(1)))
            }
            _ => None,
        }
    }

    /// The attempt as it is kept.
    pub fn kept(&self, number: u32, at: Timestamp, millis: u64) -> Attempt {
        let (status, body) = match self {
            // Databases keep no such character.
            Self::Answered(answered) => (Some(answered.status), answered.body.replace('\0', "")),
            Self::Failed(_) => (None, String::new()),
        };
        Attempt { number, at, millis, status, fault: self.fault(), body }
    }
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It arrived.
    Delivered,
    /// It is tried again, not before this moment.
    Again(Timestamp),
    /// It is given up.
    GivenUp(Cause),
}

/// A finished attempt, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The message.
    pub message: WebhookMessageId,
    /// Whose it is.
    pub endpoint: EndpointId,
    /// The number of the attempt among all who had the message in their hands.
    pub fence: u64,
    /// Whether later ones of the same thing wait for it.
    pub ordered: bool,
    /// What is kept of it.
    pub attempt: Attempt,
    /// What becomes of the message.
    pub settled: Settled,
}

/// Decides what becomes of a message after the attempt at this place of the schedule, counted from 0. `jitter` from 0 to 255 moves
/// the pause by up to a fifth; what the receiver asks for counts between that pause and twice as long.
pub fn conclude(outcome: &Outcome, place: u32, now: Timestamp, jitter: u8) -> Settled {
    if outcome.fault().is_none() {
        return Settled::Delivered;
    }
    let mut asked = None;
    if let Outcome::Answered(answered) = outcome {
        if answered.abort {
            return Settled::GivenUp(Cause::Aborted);
        }
        if answered.status == 410 {
            return Settled::GivenUp(Cause::Gone);
        }
        asked = answered.retry_after;
    }
    let pause = usize::try_from(place).ok().and_then(|place| PAUSES.get(place));
    let Some(pause) = pause.map(|pause| jittered(*pause, jitter)) else { return Settled::GivenUp(Cause::Exhausted) };
    Settled::Again(now + asked.map_or(pause, |asked| asked.clamp(pause, pause * 2)))
}

/// Between four and six fifths of a pause, in whole milliseconds.
fn jittered(pause: Duration, jitter: u8) -> Duration {
    let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(millis * 4 / 5 + millis * 2 / 5 * u64::from(jitter) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Outcome {
        Outcome::Answered(Answered { status, ..Answered::default() })
    }

    fn wait(outcome: &Outcome, place: u32, jitter: u8) -> Option<u64> {
        match conclude(outcome, place, Timestamp::UNIX_EPOCH, jitter) {
            Settled::Again(at) => u64::try_from((at - Timestamp::UNIX_EPOCH).num_milliseconds()).ok(),
            _ => None,
        }
    }

    #[test]
    fn the_schedule_is_kept_within_a_fifth() {
        let seconds = [5, 300, 1800, 7200, 18_000, 36_000, 36_000];
        for (place, seconds) in (0..).zip(seconds) {
            let whole = seconds * 1000;
            assert_eq!(wait(&answer(500), place, 0), Some(whole * 4 / 5));
            assert_eq!(wait(&answer(500), place, 255), Some(whole * 6 / 5));
            let middle = wait(&answer(500), place, 127).unwrap();
            assert!(middle.abs_diff(whole) <= whole / 200, "{middle} of {whole}");
        }
        assert_eq!(conclude(&answer(500), 7, Timestamp::UNIX_EPOCH, 0), Settled::GivenUp(Cause::Exhausted));
    }

    #[test]
    fn only_2xx_is_a_success_and_some_answers_end_a_message() {
        for (status, fault) in [
            (200, None),
            (204, None),
            (301, Some(Fault::Redirect)),
            (308, Some(Fault::Redirect)),
            (404, Some(Fault::Status)),
        ] {
            assert_eq!(answer(status).fault(), fault, "{status}");
        }
        assert_eq!(conclude(&answer(299), 0, Timestamp::UNIX_EPOCH, 0), Settled::Delivered);
        assert_eq!(conclude(&answer(410), 0, Timestamp::UNIX_EPOCH, 0), Settled::GivenUp(Cause::Gone));
        let abort = |status| Outcome::Answered(Answered { status, abort: true, ..Answered::default() });
        assert_eq!(conclude(&abort(400), 0, Timestamp::UNIX_EPOCH, 0), Settled::GivenUp(Cause::Aborted));
        assert_eq!(conclude(&abort(200), 0, Timestamp::UNIX_EPOCH, 0), Settled::Delivered);
        assert!(wait(&Outcome::Failed(Fault::Timeout), 0, 0).is_some());
    }

    #[test]
    fn what_the_receiver_asks_for_counts_within_bounds() {
        let asks = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            Outcome::Answered(Answered { status: 503, retry_after, ..Answered::default() })
        };
        // Base 4 s by the least jitter.
        for (asked, waits) in [(0, 4000), (6, 6000), (8, 8000), (9, 8000), (86_400, 8000)] {
            assert_eq!(wait(&asks(asked), 0, 0), Some(waits), "{asked}");
        }
        assert_eq!(asks(30).rest(), Some(Duration::from_secs(30)));
        assert_eq!(asks(86_400).rest(), Some(Duration::from_mins(1)));
        assert_eq!(answer(503).rest(), None);
    }
}
