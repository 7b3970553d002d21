//! The circuit of an endpoint: who fails most of the time is left alone for a while, then tried with care.

use std::{collections::VecDeque, time::Duration};

use crate::clock::Timestamp;

/// How long a circuit stays open.
pub const OPEN: Duration = Duration::from_secs(30);
/// So many successes in a row close it again.
pub const PROBES: u32 = 5;

/// What is looked at.
const SPAN: Duration = Duration::from_mins(5);
/// Attempts are counted in pieces of this length.
const PIECE: Duration = Duration::from_secs(30);
/// Fewer attempts say nothing.
const LEAST: u64 = 10;
/// From so many of a hundred on.
const PERCENT: u64 = 70;

/// What is to be done about a circuit after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Stay,
    /// It opens.
    Open,
    /// It closes.
    Close,
}

/// Counts how attempts end, over the last five minutes.
#[derive(Debug, Clone, Default)]
pub struct Circuit {
    /// When a piece began, how many attempts, how many of them failed.
    pieces: VecDeque<(Timestamp, u64, u64)>,
    /// Successes since it was tried with care.
    proven: u32,
}

impl Circuit {
    /// Notes an attempt. `careful` says that the circuit was not closed when it began.
    pub fn note(&mut self, failed: bool, careful: bool, now: Timestamp) -> Verdict {
        if careful {
            self.proven = if failed { 0 } else { self.proven + 1 };
            if failed {
                return Verdict::Open;
            }
            if self.proven < PROBES {
                return Verdict::Stay;
            }
            *self = Self::default();
            return Verdict::Close;
        }
        self.pieces.retain(|(began, ..)| *began + SPAN > now && *began <= now);
        match self.pieces.back_mut().filter(|(began, ..)| *began + PIECE > now) {
            Some((_, all, bad)) => {
                *all += 1;
                *bad += u64::from(failed);
            }
            None => self.pieces.push_back((now, 1, u64::from(failed))),
        }
        let (all, bad) = self.pieces.iter().fold((0, 0), |(all, bad), piece| (all + piece.1, bad + piece.2));
        if all >= LEAST && bad * 100 >= all * PERCENT && failed {
            *self = Self::default();
            return Verdict::Open;
        }
        Verdict::Stay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn it_opens_at_seven_tenths_of_at_least_ten_within_five_minutes() {
        let mut circuit = Circuit::default();
        for _ in 0..3 {
            assert_eq!(circuit.note(false, false, at(0)), Verdict::Stay);
        }
        let verdicts: Vec<_> = (0..7).map(|second| circuit.note(true, false, at(second))).collect();
        assert_eq!(verdicts, [[Verdict::Stay; 6].as_slice(), &[Verdict::Open]].concat());

        let mut few = Circuit::default();
        assert!((0..9).all(|second| few.note(true, false, at(second)) == Verdict::Stay));
        // Those are too old by now.
        assert!((400..409).all(|second| few.note(true, false, at(second)) == Verdict::Stay));
        assert_eq!(few.note(true, false, at(409)), Verdict::Open);

        let mut half = Circuit::default();
        assert!((0..200).all(|one| half.note(one % 3 > 0, false, at(one)) == Verdict::Stay), "two thirds are fewer");
    }

    #[test]
    fn five_successes_in_a_row_close_it_and_one_failure_opens_it_again() {
        use Verdict::{Close, Open, Stay};
        let mut circuit = Circuit::default();
        let notes = [false, false, false, false, true, false, false, false, false, false];
        let verdicts: Vec<_> = notes.map(|failed| circuit.note(failed, true, at(1))).into_iter().collect();
        assert_eq!(verdicts, [Stay, Stay, Stay, Stay, Open, Stay, Stay, Stay, Stay, Close]);
    }
}
