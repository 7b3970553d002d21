//! When a loop that is woken by what happens looks by itself: soon after there was something, later while there is nothing.

use std::time::Duration;

/// The longest pause after errors in a row, such as while the database is away.
const LONGEST: Duration = Duration::from_secs(5);

/// The pause before the next look.
#[derive(Debug)]
pub(crate) struct Pause {
    soon: Duration,
    quiet: Duration,
    length: Duration,
    failing: bool,
}

impl Pause {
    /// From `soon`, doubling up to `quiet` while there is nothing.
    pub(crate) const fn new(soon: Duration, quiet: Duration) -> Self {
        Self { soon, quiet, length: soon, failing: false }
    }

    /// How long to wait.
    pub(crate) fn length(&self) -> Duration {
        self.length
    }

    /// Whether the last look failed. An error is not retried at the pace of what happens.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing
    }

    /// There was something: more may come.
    pub(crate) fn found(&mut self) {
        (self.length, self.failing) = (self.soon, false);
    }

    /// There was nothing.
    pub(crate) fn nothing(&mut self) {
        self.length = if self.failing { self.soon } else { (self.length * 2).min(self.quiet) };
        self.failing = false;
    }

    /// The look failed.
    pub(crate) fn failed(&mut self) {
        self.length = (self.length.max(self.soon) * 2).min(LONGEST);
        self.failing = true;
    }

    /// The length in milliseconds, for the log.
    pub(crate) fn millis(&self) -> f64 {
        self.length.as_secs_f64() * 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_while_there_is_nothing_and_beyond_while_looks_fail() {
        let millis = Duration::from_millis;
        let mut pause = Pause::new(millis(200), millis(1000));
        let mut quiet = Vec::new();
        for _ in 0..4 {
            pause.nothing();
            quiet.push(pause.length());
        }
        assert_eq!(quiet, [400, 800, 1000, 1000].map(millis));
        pause.found();
        assert_eq!((pause.length(), pause.is_failing()), (millis(200), false));
        for _ in 0..6 {
            pause.failed();
        }
        assert_eq!((pause.length(), pause.is_failing()), (LONGEST, true));
        pause.nothing();
        assert_eq!((pause.length(), pause.is_failing()), (millis(200), false));
    }
}
