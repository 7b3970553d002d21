//! Who read what when, beside what was acknowledged when: finds reads of the past (ruling R28).

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What was written to one thing, and what was read of it. Values only grow.
#[derive(Debug, Default)]
pub struct Ledger {
    acknowledged: Mutex<Vec<(Instant, u64)>>,
    reads: Mutex<Vec<Read>>,
}

/// A read of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// When it began.
    pub began: Instant,
    /// What it gave.
    pub value: u64,
    /// Where and how it was read, for messages.
    pub place: String,
}

/// A read that began after a younger value had been acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// The read.
    pub read: Read,
    /// The least it should have given.
    pub least: u64,
    /// For how long that had been acknowledged.
    pub behind: Duration,
}

impl Ledger {
    /// Notes that a value was acknowledged just now. They come in order.
    pub fn acknowledged(&self, value: u64) {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), value));
    }

    /// Notes a read.
    pub fn read(&self, began: Instant, value: u64, place: impl Into<String>) {
        let read = Read { began, value, place: place.into() };
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).push(read);
    }

    /// How many reads were noted.
    pub fn reads(&self) -> usize {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Every read that gave less than what had been acknowledged when it began.
    pub fn stale(&self) -> Vec<Stale> {
        let acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        let reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let stale = reads.iter().filter_map(|read| {
            let before = acknowledged.partition_point(|(at, _)| *at < read.began);
            let (at, least) = *acknowledged.get(before.checked_sub(1)?)?;
            let behind = read.began.duration_since(at);
            (read.value < least).then(|| Stale { read: read.clone(), least, behind })
        });
        stale.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_read_that_began_after_the_acknowledgement_may_not_show_less() {
        let ledger = Ledger::default();
        let start = Instant::now();
        ledger.read(start, 0, "before anything");
        ledger.acknowledged(1);
        let between = Instant::now();
        ledger.read(between, 1, "what is there");
        ledger.read(between, 2, "what is not acknowledged yet");
        ledger.acknowledged(2);
        // It ends after the second was acknowledged, but began before.
        ledger.read(between, 1, "slow");
        assert_eq!(ledger.stale(), []);
        let after = Instant::now();
        ledger.read(after, 2, "present");
        ledger.read(after, 1, "past");
        let stale = ledger.stale();
        assert_eq!(stale.len(), 1);
        assert_eq!((stale[0].read.place.as_str(), stale[0].read.value, stale[0].least), ("past", 1, 2));
        assert_eq!(ledger.reads(), 6);
    }
}
