//! What a node knows of the shared cache, and what follows from it at a moment.
//!
//! Two rules carry everything. What was read of the row of epochs is believed for [`HOLDS`] from when it was asked for, and an
//! epoch is trusted only [`HOLDS`] after it was first seen. So when one node trusts an epoch, no node trusts an older one any
//! more, whatever clocks and pauses did; and whoever was answered that nobody may serve, knows after [`HOLDS`] that nobody does.

use std::time::{Duration, Instant};

use domain::cache::Standing;

/// How long an answer of the database is believed (L).
pub(super) const HOLDS: Duration = Duration::from_secs(1);

/// What the database rounds up by, at most.
const ROUNDED: Duration = Duration::from_millis(1);

/// What is known, by the clock of this process, which does not jump.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    epoch: u64,
    /// When the answer came that showed this epoch first.
    since: Option<Instant>,
    /// When the last answer was asked for.
    asked: Option<Instant>,
    /// The last answer let nodes serve.
    open: bool,
    /// Nobody may serve before this.
    not_before: Option<Instant>,
    quiet: Option<Quiet>,
    /// The connection on which the source of this epoch was found.
    link: Option<u64>,
}

/// A time in which nobody may serve, without a gap as far as this node knows.
#[derive(Debug, Clone, Copy)]
struct Quiet {
    since: Instant,
    until: Instant,
}

/// An epoch to serve in, and the connection that says what is old in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trusted {
    pub(super) epoch: u64,
    pub(super) generation: u64,
}

impl Known {
    /// Takes in what the database answered at `came` to what was asked at `asked`.
    pub(super) fn learn(&mut self, standing: &Standing, asked: Instant, came: Instant) {
        if self.since.is_none() || standing.epoch != self.epoch {
            self.epoch = standing.epoch;
            self.since = Some(came);
            self.link = None;
        }
        self.asked = Some(asked);
        self.open = standing.suspended.is_zero();
        if self.open {
            self.quiet = None;
            return;
        }
        self.not_before = self.not_before.max(Some(came + standing.suspended));
        // At least so long: the database counts from a moment between the two.
        let until = asked + standing.suspended.saturating_sub(ROUNDED);
        self.quiet = Some(match self.quiet {
            Some(quiet) if came < quiet.until => Quiet { until: until.max(quiet.until), ..quiet },
            // Somebody may have served in between.
            _ => Quiet { since: came, until },
        });
    }

    /// Notes the connection that leads to the source of the epoch, or that none does.
    pub(super) fn found(&mut self, link: Option<u64>) {
        self.link = link;
    }

    /// The last epoch seen.
    pub(super) fn epoch(&self) -> Option<u64> {
        self.since.map(|_| self.epoch)
    }

    pub(super) fn link(&self) -> Option<u64> {
        self.link
    }

    /// What this node may serve in at this moment. No node trusts another epoch at the same moment.
    pub(super) fn trusted(&self, now: Instant) -> Option<Trusted> {
        let believed = now < self.asked? + HOLDS && now >= self.since? + HOLDS;
        let allowed = self.open && self.not_before.is_none_or(|moment| now >= moment);
        let generation = self.link?;
        (believed && allowed).then_some(Trusted { epoch: self.epoch, generation })
    }

    /// Whether no node trusts anything at this moment, nor will serve what was made before it.
    pub(super) fn is_quiet(&self, now: Instant) -> bool {
        self.quiet.is_some_and(|quiet| quiet.since + HOLDS <= now && now < quiet.until)
    }

    /// Whether it is quiet for so long from now on, or soon will be.
    pub(super) fn stays_quiet(&self, now: Instant, long: Duration) -> bool {
        self.quiet.is_some_and(|quiet| now + long <= quiet.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn standing(epoch: u64, suspended: u32) -> Standing {
        Standing { epoch, source: String::new(), suspended: MS * suspended }
    }

    #[test]
    fn an_epoch_is_trusted_from_a_while_after_it_was_seen_until_a_while_after_it_was_asked_for() {
        let start = Instant::now();
        let at = |ms: u32| start + MS * ms;
        let mut known = Known::default();
        assert_eq!(known.trusted(at(5000)), None);
        known.learn(&standing(7, 0), at(0), at(10));
        known.found(Some(1));
        for ms in [10, 500, 999, 1009] {
            assert_eq!(known.trusted(at(ms)), None, "{ms}");
        }
        known.learn(&standing(7, 0), at(300), at(305));
        assert_eq!(known.trusted(at(1009)), None);
        let trusted = Some(Trusted { epoch: 7, generation: 1 });
        assert_eq!(known.trusted(at(1010)), trusted);
        assert_eq!(known.trusted(at(1299)), trusted);
        assert_eq!(known.trusted(at(1300)), None, "an answer of long ago");
        // Not asked for a long time, and still the same.
        known.learn(&standing(7, 0), at(9000), at(9001));
        assert_eq!(known.trusted(at(9001)), trusted);
        known.found(None);
        assert_eq!(known.trusted(at(9001)), None, "nobody says what is old");
    }

    /// A node that was told of an epoch at its very begin, and one that was asked just before and paused.
    #[test]
    fn no_two_nodes_trust_different_epochs_at_once() {
        let start = Instant::now();
        let at = |ms: u32| start + MS * ms;
        for (asked, begun, came) in [(0, 0, 0), (99, 100, 101), (0, 100, 100), (50, 900, 2000)] {
            let (mut old, mut new) = (Known::default(), Known::default());
            old.learn(&standing(7, 0), at(0), at(0));
            // The last moment at which the database still answered with the old one.
            old.learn(&standing(7, 0), at(asked), at(asked + 5000));
            new.learn(&standing(8, 0), at(begun), at(came.max(begun)));
            new.learn(&standing(8, 0), at(came + 900), at(came + 900));
            old.found(Some(1));
            new.found(Some(1));
            for ms in 0..8000 {
                let both = old.trusted(at(ms)).is_some() && new.trusted(at(ms)).is_some();
                assert!(!both, "{asked} {begun} {came}: both at {ms}");
            }
            assert!(new.trusted(at(came + 1500)).is_some());
        }
    }

    #[test]
    fn it_is_quiet_when_everybody_had_time_to_hear_of_a_suspension_and_while_that_goes_on() {
        let start = Instant::now();
        let at = |ms: u32| start + MS * ms;
        let mut known = Known::default();
        known.learn(&standing(1, 0), at(0), at(0));
        known.found(Some(1));
        assert!(known.trusted(at(1000)).is_none() && !known.is_quiet(at(500)));
        known.learn(&standing(2, 3000), at(2000), at(2010));
        assert!(!known.is_quiet(at(3009)) && known.is_quiet(at(3010)) && known.is_quiet(at(4998)));
        assert!(!known.is_quiet(at(4999)));
        assert!(known.stays_quiet(at(2499), MS * 2500) && !known.stays_quiet(at(2500), MS * 2500));
        // Renewed in time, it has no gap.
        known.learn(&standing(3, 3000), at(4000), at(4010));
        assert!(known.is_quiet(at(4010)) && known.is_quiet(at(6998)) && !known.is_quiet(at(6999)));
        // Renewed too late: others may have served meanwhile.
        known.learn(&standing(4, 3000), at(7100), at(7110));
        assert!(!known.is_quiet(at(8109)) && known.is_quiet(at(8110)));
        // Over, it is trusted no sooner than the database let this node expect.
        known.learn(&standing(4, 0), at(9000), at(9001));
        known.found(Some(1));
        assert!(!known.is_quiet(at(9001)) && known.trusted(at(9900)).is_none());
        known.learn(&standing(4, 0), at(10_200), at(10_201));
        assert_eq!(known.trusted(at(10_201)), Some(Trusted { epoch: 4, generation: 1 }));
    }
}
